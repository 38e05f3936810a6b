//! Lists that a client must not take for the whole truth, each in the form of its service.

use serde_json::{Map, Value, json};

use super::refusal::Service;

/// Name of the sandbox that such a list speaks of; the emulator never has one of this name.
const ELSEWHERE: &str = "elsewhere";
/// A page of Catalog looks full, and so goes on, with this many datasets.
const FULL_PAGE: usize = 100;

/// A complete list with one object of another sandbox.
pub fn of_another_sandbox(service: Service) -> Value {
    let mut filler = filler(0);
    filler["sandboxName"] = json!(ELSEWHERE);
    list(service, vec![filler], false)
}

/// A page with nothing that anybody asks for, which says that the list goes on.
pub fn without_end(service: Service) -> Value {
    let count = if service == Service::Catalog { FULL_PAGE } else { 1 };
    list(service, (0..count).map(filler).collect(), true)
}

/// An object of no use: it has every member that a filter may look at, and none of them fits.
fn filler(number: usize) -> Value {
    let name = format!("Somebody else's object {number}");
    json!({
        "id": format!("{number:024x}"), "$id": format!("https://ns.adobe.com/elsewhere/schemas/{number:032x}"),
        "name": name, "title": name, "description": name, "tags": {}, "etag": "\"0\"",
        "baseConnectionId": "none", "connectionSpec": { "id": "none", "version": "1.0" },
        "params": { "dataSetId": "none" }, "sourceConnectionIds": [], "targetConnectionIds": [],
    })
}

fn list(service: Service, items: Vec<Value>, goes_on: bool) -> Value {
    // The same start again and again.
    let next = goes_on.then_some("again");
    match service {
        Service::SchemaRegistry => json!({
            "results": items, "_links": {},
            "_page": { "orderby": "title", "next": next, "count": items.len() },
        }),
        Service::Catalog => {
            let keyed = items.into_iter().map(|item| {
                let id = item["id"].as_str().unwrap_or_default().to_owned();
                (id, item)
            });
            Value::Object(keyed.collect::<Map<_, _>>())
        }
        Service::DataPrep => {
            // A page that holds as many as were granted may not be the last.
            let limit = if goes_on { items.len() } else { FULL_PAGE };
            json!({ "data": items, "_links": {}, "_page": { "count": items.len(), "limit": limit } })
        }
        Service::Flow | Service::Sandboxes | Service::Gateway => {
            let links = next.map_or_else(
                || json!({}),
                |token| json!({ "next": { "href": format!("/list?continuationToken={token}") } }),
            );
            json!({ "items": items, "_links": links })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_pages_in_its_own_way() {
        let endless = without_end;
        let token = endless(Service::Flow)["_links"]["next"]["href"].clone();
        assert_eq!(token, "/list?continuationToken=again");
        assert_eq!(endless(Service::SchemaRegistry)["_page"]["next"], "again");
        assert_eq!(endless(Service::Catalog).as_object().unwrap().len(), FULL_PAGE);
        assert_eq!(
            endless(Service::DataPrep)["_page"],
            json!({ "count": 1, "limit": 1 })
        );
        let ended = of_another_sandbox(Service::DataPrep);
        assert_eq!(ended["_page"], json!({ "count": 1, "limit": 100 }));
        assert_eq!(ended["data"][0]["sandboxName"], ELSEWHERE);
        assert_eq!(
            of_another_sandbox(Service::SchemaRegistry)["_page"]["next"],
            Value::Null
        );
    }
}
