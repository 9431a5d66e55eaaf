use std::collections::BTreeSet;

use parley_domain::{MeetingStatus, MeetingType, ProjectStatus, ProposalStatus, RequestStatus, Role};
use parley_protocol::Code;
use reqwest::Method;
use serde_json::Value;

use crate::testing::{Answer, TestServer};

fn description() -> Value {
    serde_json::from_str(crate::openapi()).unwrap()
}

/// Method, path and operation.
fn operations(description: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = description["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(method, body)| (method, path, body)))
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn it_is_served_without_a_token_under_both_prefixes() {
    let server = TestServer::start().await;
    for path in ["/api/openapi.json", "/api/v1/openapi.json"] {
        let answer = Answer::of(server.call(Method::GET, path)).await;
        answer.expect(200);
        assert_eq!(answer.headers["content-type"], "application/json");
        assert_eq!(answer.body["openapi"], "3.1.0");
        assert_eq!(answer.body, description());
    }
}

#[test]
fn every_operation_is_complete() {
    let description = description();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&description) {
        let name = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{name}: its id is another's too");
        assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{name}: no summary");
        assert_eq!(operation["tags"].as_array().unwrap().len(), 1, "{name}");
        let ids_in_path = path.matches('{').count();
        let described = operation["parameters"].as_array().into_iter().flatten();
        assert_eq!(described.filter(|parameter| parameter["in"] == "path").count(), ids_in_path, "{name}");
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.keys().any(|status| status.starts_with('2')), "{name}: it never succeeds");
        assert!(!answers.contains_key("501"), "{name}");
        for (status, answer) in answers {
            if status.starts_with(['4', '5']) {
                let answer = match answer["$ref"].as_str() {
                    Some(reference) => description.pointer(&reference[1..]).unwrap(),
                    None => answer,
                };
                names_its_codes(&name, status.parse().unwrap(), answer);
            }
        }
    }
}

/// What a description names in backticks and capitals are codes, at least one.
fn names_its_codes(operation: &str, status: u16, answer: &Value) {
    let text = answer["description"].as_str().unwrap();
    let words =
        text.split('`').skip(1).step_by(2).filter(|word| word.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
    let codes: Vec<Code> = words
        .map(|word| Code::from_word(word).unwrap_or_else(|| panic!("{operation} {status}: {word} is no code")))
        .collect();
    assert!(!codes.is_empty(), "{operation} {status}: {text}");
    for code in codes {
        let also = matches!((code, status), (Code::ProviderNotApproved, 409) | (Code::InvalidCredentials, 403));
        assert!(code.status() == status || also, "{operation} {status}: {code:?}");
    }
    let problem = &answer["content"]["application/problem+json"]["schema"]["$ref"];
    assert_eq!(problem, "#/components/schemas/Problem", "{operation} {status}");
}

#[test]
fn every_reference_leads_somewhere_and_every_shape_is_referred_to() {
    let description = description();
    let mut found = Vec::new();
    references(&description, &mut found);
    for reference in &found {
        assert!(description.pointer(&reference[1..]).is_some(), "{reference}");
    }
    for kind in ["schemas", "responses"] {
        for name in description["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(&reference.as_str()), "{reference} is used nowhere");
        }
    }
}

#[test]
fn no_parameter_may_be_null() {
    let description = description();
    for (method, path, operation) in operations(&description) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(!parameter["schema"].to_string().contains("\"null\""), "{method} {path}: {parameter}");
        }
    }
}

#[test]
fn its_words_are_those_of_the_wire() {
    let description = description();
    let words = |name: &str| description["components"]["schemas"][name]["enum"].clone();
    assert_eq!(words("Role"), serde_json::to_value(Role::ALL).unwrap());
    assert_eq!(words("RequestStatus"), serde_json::to_value(RequestStatus::ALL).unwrap());
    assert_eq!(words("ProposalStatus"), serde_json::to_value(ProposalStatus::ALL).unwrap());
    assert_eq!(words("ProjectStatus"), serde_json::to_value(ProjectStatus::ALL).unwrap());
    assert_eq!(words("MeetingStatus"), serde_json::to_value(MeetingStatus::ALL).unwrap());
    assert_eq!(words("MeetingType"), serde_json::to_value(MeetingType::ALL).unwrap());
}

/// A step that makes a meeting active can meet another one; the others can't.
#[test]
fn only_what_makes_a_meeting_active_can_be_told_of_another_one() {
    let description = description();
    for (_, path, operation) in operations(&description) {
        let Some(conflict) = operation["responses"]["409"]["description"].as_str() else { continue };
        let id = operation["operationId"].as_str().unwrap();
        let makes_active = ["createMeeting", "startMeeting", "acceptMeeting"].contains(&id);
        assert_eq!(conflict.contains("`MEETING_IN_PROGRESS`"), makes_active, "{id} {path}");
    }
}
