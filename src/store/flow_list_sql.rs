//! The statements of [`flow_lists`](super::flow_lists).

/// The place among `Health::ALL` of what `Judgement::health_at` says at the moment `$2` or, if it was earlier, when the
/// runs were last read (`domain::health::judged_at`); a test compares the two.
macro_rules! need {
    () => {
        "CASE h.base WHEN 'failed' THEN 0 WHEN 'off' THEN 10 ELSE CASE \
         WHEN h.stuck_at <= $2 AND h.stuck_at <= y.succeeded_at THEN 1 \
         WHEN h.late_at <= $2 AND h.late_at <= y.succeeded_at THEN 2 ELSE CASE h.base \
         WHEN 'empty' THEN 3 WHEN 'odd' THEN 4 WHEN 'partial' THEN 5 WHEN 'unknown' THEN 6 WHEN 'running' THEN 7 \
         WHEN 'well' THEN 9 ELSE 8 END END END"
    };
}
/// Places that need a person: see `Health::needs_a_person`. The words are all but `off`, and lead to the index.
macro_rules! needs_a_person {
    () => {
        concat!(
            "h.base IN ('failed', 'empty', 'odd', 'partial', 'unknown', 'running', 'waiting', 'well') AND ",
            need!(),
            " <= 6"
        )
    };
}
/// The next moment of the schedule after `$2`: see [`crate::domain::schedule::next_slots`]. Numbers that no schedule
/// of people's has give none, so that nothing overflows.
macro_rules! next_run {
    () => {
        concat!(
            "CASE WHEN f.state <> 'enabled' OR f.gone_at IS NOT NULL OR f.start_at < 0 ",
            "OR f.interval_count > 1000000 THEN NULL ",
            "WHEN f.start_at > $2 AND f.frequency IN ('once', 'minute', 'hour', 'day', 'week') THEN f.start_at ",
            "ELSE f.start_at + (($2 - f.start_at) / (",
            period!(),
            ") + 1) * (",
            period!(),
            ") END"
        )
    };
}
/// How far the runs of an environment were read.
macro_rules! and_reading {
    () => {
        "LEFT JOIN sync_state y ON y.environment_id = e.id AND y.topic = 'runs' "
    };
}
/// NULL for a single run.
macro_rules! period {
    () => {
        "CASE f.frequency WHEN 'minute' THEN 60000 WHEN 'hour' THEN 3600000 WHEN 'day' THEN 86400000 \
         WHEN 'week' THEN 604800000 END * CASE WHEN f.interval_count > 1 THEN f.interval_count ELSE 1 END"
    };
}
/// The flows of one page, and around them what is too wide to be sorted. In no order: what a join makes of the inner
/// one is up to the database.
macro_rules! list {
    ($sort_value:expr, $beyond:literal, $direction:literal) => {
        concat!(
            "SELECT k.*, u.name AS owner_name, h.judgement, h.recent FROM (",
            "SELECT f.environment_id, e.name AS environment_name, f.id, f.name, f.state, f.connector, f.frequency, ",
            "f.interval_count, f.start_at, f.gone_at, f.last_run_outcome, f.last_run_at, ",
            next_run!(),
            " AS next_run_at, s.started_by, t.id AS template_id, t.name AS template_name, ",
            "v.version AS template_version, y.succeeded_at AS runs_read_at, y.filled_from_at AS runs_known_since_at, c.number AS current_version, ",
            "c.valid_from_at AS current_from_at, c.wanted AS current_wanted, ",
            $sort_value,
            " AS sort_value FROM environments e JOIN flows f ON f.environment_id = e.id ",
            "LEFT JOIN flow_health h ON h.environment_id = f.environment_id AND h.flow_id = f.id ",
            and_reading!(),
            "LEFT JOIN flow_versions c ON c.environment_id = f.environment_id AND c.flow_id = f.id AND c.number = ",
            "(SELECT MAX(n.number) FROM flow_versions n WHERE n.environment_id = f.environment_id ",
            "AND n.flow_id = f.id) ",
            "LEFT JOIN setups s ON s.id = (SELECT o.id FROM setups o WHERE o.environment_id = f.environment_id ",
            "AND o.flow_id = f.id ORDER BY o.created_at DESC, o.id DESC LIMIT 1) ",
            "LEFT JOIN template_versions v ON v.id = s.template_version_id ",
            "LEFT JOIN connection_templates t ON t.id = v.template_id ",
            "WHERE e.team_id = $1 AND e.archived_at IS NULL AND ($3 IS NULL OR e.id = $3) ",
            "AND ($4 IS NULL OR f.state = $4) AND ($5 IS NULL OR f.connector = $5) ",
            "AND ($6 IS NULL OR f.last_run_outcome = $6) ",
            "AND ($7 IS NULL OR LOWER(f.name) LIKE $7 ESCAPE '\\' OR LOWER(f.source_path) LIKE $7 ESCAPE '\\') ",
            "AND ($8 <> 0 OR f.gone_at IS NULL) AND ($9 IS NULL OR ",
            need!(),
            " = $9) AND ($10 IS NULL OR COALESCE(t.id, '') = $10) ",
            "AND ($11 IS NULL OR COALESCE(s.started_by, '') = $11) AND ($17 = 0 OR h.lost_windows > 0) AND (",
            $sort_value,
            ", f.name, f.environment_id, f.id) ",
            $beyond,
            " ($12, $13, $14, $15) ORDER BY sort_value ",
            $direction,
            ", f.name ",
            $direction,
            ", f.environment_id ",
            $direction,
            ", f.id ",
            $direction,
            " LIMIT $16) AS k ",
            "LEFT JOIN flow_health h ON h.environment_id = k.environment_id AND h.flow_id = k.id ",
            "LEFT JOIN users u ON u.id = k.started_by"
        )
    };
}
/// Forward and backward.
macro_rules! both_ways {
    ($sort_value:expr) => {
        [list!($sort_value, ">", "ASC"), list!($sort_value, "<", "DESC")]
    };
}

pub(super) const BY_NAME: [&str; 2] = both_ways!("0");
pub(super) const BY_NEED: [&str; 2] = both_ways!(need!());
pub(super) const BY_LAST_RUN: [&str; 2] = both_ways!("0 - COALESCE(f.last_run_at, 0)");
pub(super) const BY_NEXT_RUN: [&str; 2] =
    both_ways!(concat!("COALESCE(", next_run!(), ", 9223372036854775807)"));
pub(super) const TROUBLED: &str = concat!(
    "SELECT f.id, f.name, e.name, h.judgement, t.succeeded_at FROM ",
    "(SELECT h.environment_id, h.flow_id, y.succeeded_at, ",
    need!(),
    " AS need, ROW_NUMBER() OVER (PARTITION BY ",
    need!(),
    " ORDER BY CASE ",
    need!(),
    " WHEN 1 THEN h.stuck_at WHEN 2 THEN h.late_at ELSE h.base_since_at END DESC, h.environment_id, h.flow_id) ",
    "AS place FROM environments e JOIN flow_health h ON h.environment_id = e.id ",
    and_reading!(),
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND ",
    needs_a_person!(),
    ") AS t JOIN environments e ON e.id = t.environment_id ",
    "JOIN flows f ON f.environment_id = t.environment_id AND f.id = t.flow_id ",
    "JOIN flow_health h ON h.environment_id = t.environment_id AND h.flow_id = t.flow_id ",
    "WHERE t.place <= $3 ORDER BY t.need, t.place"
);
pub(super) const COUNTS: &str = concat!(
    "SELECT ",
    need!(),
    " AS need, COUNT(*) FROM environments e JOIN flows f ON f.environment_id = e.id ",
    "LEFT JOIN flow_health h ON h.environment_id = f.environment_id AND h.flow_id = f.id ",
    and_reading!(),
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND f.gone_at IS NULL GROUP BY need ORDER BY need"
);
/// The condition is that of the index.
pub(super) const MISSING_FILES: &str = "SELECT COUNT(*) FROM environments e \
     JOIN flow_health h ON h.environment_id = e.id AND h.lost_windows > 0 \
     JOIN flows f ON f.environment_id = h.environment_id AND f.id = h.flow_id \
     WHERE e.team_id = $1 AND e.archived_at IS NULL AND f.gone_at IS NULL";
pub(super) const NEXT_RUNS: &str = concat!(
    "SELECT t.* FROM (SELECT f.id AS flow_id, f.name AS flow_name, e.name AS environment_name, ",
    next_run!(),
    " AS at FROM environments e JOIN flows f ON f.environment_id = e.id ",
    "WHERE e.team_id = $1 AND e.archived_at IS NULL AND f.gone_at IS NULL) AS t ",
    "WHERE t.at IS NOT NULL ORDER BY t.at, t.flow_name, t.flow_id LIMIT $3"
);
