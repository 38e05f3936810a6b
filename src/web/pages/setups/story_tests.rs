use super::*;
use crate::domain::new_id;
use crate::web::pages::setups::actions::actions;

fn setup(state: SetupState, question: Option<Question>, undoing: bool) -> Setup {
    Setup {
        id: new_id(),
        team_id: "team".into(),
        environment_id: "environment".into(),
        template_version_id: None,
        draft_id: "draft".into(),
        flow_name: "Loyalty".into(),
        state,
        question,
        question_detail: Some("Adobe's own words".into()),
        undoing,
        retry_at: None,
        recipe: "{}".into(),
        answers: "{}".into(),
        flow_id: None,
        started_by: "ana".into(),
        driven_by: "ana".into(),
        platform_origin: None,
        created_at: 0,
        updated_at: 0,
        finished_at: None,
    }
}

fn row(kind: StepKind, state: StepState) -> Step {
    Step {
        setup_id: "setup".into(),
        kind,
        position: 0,
        needs: "[]".into(),
        marker: "hg1-x-fl".into(),
        method: "POST".into(),
        path: "/flowservice/flows".into(),
        query: "[]".into(),
        body: "{}".into(),
        state,
        attempt: 1,
        looks: 1,
        failed_looks: 0,
        object_id: None,
        etag: None,
        adopted: false,
        sent_body: None,
        request_hash: None,
        sent_at: Some(0),
        unclear_at: Some(0),
        deletions: 0,
        answered_at: None,
        retry_at: Some(5_000),
        answer_status: None,
        answer: None,
        problem: None,
        upstream_request_id: None,
    }
}

fn told(setup: &Setup, rows: &[Step]) -> Story {
    Story::of(setup, rows, Rules::default(), &Times::new("UTC", 0))
}

#[test]
fn every_state_says_what_happened_and_no_question_is_a_dead_end() {
    let mut asked: Vec<(SetupState, Option<Question>, bool)> = SetupState::ALL
        .iter()
        .map(|state| (*state, None, false))
        .collect();
    for question in Question::ALL {
        for undoing in [false, true] {
            asked.push((SetupState::NeedsAttention, Some(*question), undoing));
        }
    }
    for (state, question, undoing) in asked {
        let setup = setup(state, question, undoing);
        for step in StepState::ALL {
            let story = told(&setup, &[row(StepKind::Flow, *step)]);
            let case = format!("{state} {question:?} {step}");
            assert!(!story.title.is_empty() && !story.code.is_empty(), "{case}");
            assert!(
                story.twice.starts_with("No.") || story.twice.starts_with("Yes,"),
                "{case}"
            );
            let pressed = actions(&setup);
            if state == SetupState::NeedsAttention {
                assert!(pressed[0].primary && pressed.len() >= 2, "{case}");
                assert!(!story.sentences.is_empty(), "{case}");
                assert_eq!(story.detail, "Adobe's own words", "{case}");
            }
        }
    }
}

#[test]
fn e23_e24_e25_waiting_says_why_and_until_when() {
    let setup = setup(SetupState::Waiting, None, false);
    let unclear = told(&setup, &[row(StepKind::TargetConnection, StepState::Unknown)]);
    assert_eq!(unclear.code, "upstream.unclear");
    assert_eq!(
        unclear.title,
        "It is not known yet whether the target connection was created"
    );
    assert!(unclear.sentences[0].contains("look 2 of 3"), "{unclear:?}");
    assert!(unclear.sentences[1].contains("00:00:05"), "{unclear:?}");
    let unread = Step {
        answer_status: Some(201),
        ..row(StepKind::TargetConnection, StepState::Unknown)
    };
    assert_eq!(told(&setup, &[unread]).code, "upstream.contract");
    let throttled = Step {
        answer_status: Some(429),
        ..row(StepKind::Dataset, StepState::Planned)
    };
    let story = told(&setup, &[throttled]);
    assert_eq!(
        (story.code, story.title.as_str()),
        ("upstream.busy", "Adobe asked us to wait until 00:00:05")
    );
}

#[test]
fn only_several_dataflows_can_bring_data_twice() {
    let asks = setup(SetupState::NeedsAttention, Some(Question::Duplicate), false);
    let twice = |kind| {
        told(
            &asks,
            &[
                row(kind, StepState::Unknown),
                row(StepKind::Flow, StepState::Planned),
            ],
        )
        .twice
    };
    assert!(twice(StepKind::Dataset).starts_with("No."));
    assert!(
        told(&asks, &[row(StepKind::Flow, StepState::Unknown)])
            .twice
            .starts_with("Yes,")
    );
}
