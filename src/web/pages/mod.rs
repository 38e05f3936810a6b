//! One file per page; the listing of this folder is the site map.
