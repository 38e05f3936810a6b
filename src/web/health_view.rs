//! How a flow does, in a badge and a sentence, the same on every page.

use crate::domain::health::{Health, Judgement, Lost, NEVER_READ, Usual};
use crate::web::numbers;
use crate::web::status::Status;
use crate::web::times::{TimeView, Times};

/// How a flow does at the viewer's present.
#[derive(Debug, Clone)]
pub struct HealthView {
    /// Which of the states.
    pub health: Health,
    /// Shape and colour.
    pub status: Status,
    /// The word of the badge.
    pub word: &'static str,
    /// Why it is said, in one or two sentences with the figures.
    pub reason: String,
    /// Since when, where that is known.
    pub since: Option<TimeView>,
}

impl HealthView {
    /// Reads a judgement at `now_ms` (UTC epoch milliseconds), which is [`judged_at`] some moment.
    ///
    /// [`judged_at`]: crate::domain::health::judged_at
    pub fn new(judgement: &Judgement, times: &Times, now_ms: i64) -> Self {
        let health = judgement.health_at(now_ms);
        if health == Health::Waiting && now_ms == NEVER_READ {
            return Self::unread();
        }
        Self {
            health,
            status: status(health),
            word: word(health),
            reason: reason(judgement, health, times, now_ms)
                + longer(judgement, health)
                + &besides(judgement, health, times, now_ms),
            since: judgement.since(now_ms).map(|at| times.at(at)),
        }
    }

    /// The same with what is known of why it does not run: Adobe's state, and whether Adobe lists it no longer.
    pub fn of_flow(self, state: &str, is_gone: bool) -> Self {
        let reason = match state {
            _ if self.health != Health::Off => return self,
            _ if is_gone => "It does not run: Adobe does not list it any more.".to_owned(),
            "disabled" => "It does not run: it is switched off.".to_owned(),
            other => format!("It does not run: Adobe calls its state \u{201c}{other}\u{201d}."),
        };
        Self { reason, ..self }
    }

    /// Of a flow whose runs nobody has seen, so that none can be said not to be there.
    fn unread() -> Self {
        Self {
            health: Health::Waiting,
            status: Status::Unknown,
            word: "Not read yet",
            reason: "Its runs were not read from Adobe yet.".to_owned(),
            since: None,
        }
    }
}

/// Shape and colour of a state.
pub const fn status(health: Health) -> Status {
    match health {
        Health::Failed => Status::Failed,
        Health::Stuck | Health::Late => Status::Late,
        Health::Empty | Health::Odd | Health::Partial => Status::Partial,
        Health::Unknown => Status::Unknown,
        Health::Running => Status::Running,
        Health::Waiting | Health::Off => Status::Waiting,
        Health::Well => Status::Succeeded,
    }
}

/// The word of a state.
pub const fn word(health: Health) -> &'static str {
    match health {
        Health::Failed => "Failed",
        Health::Stuck => "Stuck",
        Health::Late => "Late",
        Health::Empty => "Empty",
        Health::Odd => "Odd volume",
        Health::Partial => "Partial",
        Health::Unknown => "Unknown",
        Health::Running => "Running",
        Health::Waiting => "Waiting",
        Health::Well => "Healthy",
        Health::Off => "Off",
    }
}

fn reason(judged: &Judgement, health: Health, times: &Times, now_ms: i64) -> String {
    let at = |moment: Option<i64>| moment.map(|at| times.at(at).short().to_string());
    match health {
        Health::Failed if judged.in_a_row > 1 => format!("The last {} runs failed.", judged.in_a_row),
        Health::Failed => "The last run failed.".to_owned(),
        Health::Stuck => stuck(judged, now_ms),
        Health::Late => {
            let expected = at(judged.expected_at).unwrap_or_default();
            let latest = at(judged.late_at).unwrap_or_default();
            format!(
                "A run was expected at {expected}. It should have been seen by {latest}, and none has come."
            )
        }
        Health::Empty if judged.never_brought_any => {
            "The last run succeeded with no records. No run of those looked at has brought any.".to_owned()
        }
        Health::Empty => format!(
            "The last run succeeded with no records.{}",
            usually(judged.usual_records)
        ),
        Health::Odd => format!(
            "The last run brought {} records.{}",
            numbers::count(judged.last_records.unwrap_or(0)),
            usually(judged.usual_records) + &odd_beyond(judged.usual_records)
        ),
        Health::Partial if judged.in_a_row > 1 => {
            format!("The last {} runs lost some records.", judged.in_a_row)
        }
        Health::Partial => "The last run lost some records.".to_owned(),
        Health::Unknown => "Adobe gives the last run a status that no document names.".to_owned(),
        Health::Running => "A run is going on.".to_owned(),
        Health::Waiting => {
            let (none, which) = match at(judged.known_since_at) {
                None => ("There was no run yet".to_owned(), "first"),
                Some(since) => (format!("No run was seen since {since}"), "next"),
            };
            at(judged.expected_at).map_or_else(
                || format!("{none}."),
                |expected| {
                    format!(
                        "{none}. The {which} is expected at {expected}; Adobe shows a run two to three minutes \
                         after it began."
                    )
                },
            )
        }
        Health::Well => "The last run brought what it should.".to_owned(),
        Health::Off => "It does not run: it is switched off, or no longer at Adobe.".to_owned(),
    }
}

/// What is said where it began before the first run that was looked at.
fn longer(judged: &Judgement, health: Health) -> &'static str {
    if judged.perhaps_longer && health == judged.base {
        " All runs that were looked at say so, and those before them may, too."
    } else {
        ""
    }
}

/// What one word hides: a worse state a lesser one, a good one what was before it.
fn besides(judged: &Judgement, health: Health, times: &Times, now_ms: i64) -> String {
    let at = |moment: Option<i64>| moment.map(|at| times.at(at).short().to_string());
    let mut said = String::new();
    if matches!(health, Health::Late | Health::Stuck) && health != judged.base {
        said.push_str(match judged.base {
            Health::Empty => " The last run that ended brought no records.",
            Health::Odd => " The last run that ended brought an unusual number of records.",
            Health::Partial => " The last run that ended lost some records.",
            _ => "",
        });
    }
    if health == Health::Failed
        && judged.is_late_at(now_ms)
        && let Some(expected) = at(judged.expected_at)
    {
        said.push_str(&format!(
            " Another was expected at {expected}, and none has come."
        ));
    }
    let is_without_data = matches!(judged.base, Health::Failed | Health::Empty);
    if is_without_data && let Some(last) = at(judged.brought_last_at) {
        said.push_str(&format!(" Records came last with the run of {last}."));
    }
    if !health.needs_a_person() && judged.lost.windows > 0 {
        said.push_str(&format!(" {}.", lost(&judged.lost)));
    }
    said
}

/// How many of the last runs failed and left files behind.
pub fn lost(lost: &Lost) -> String {
    let of = match lost.looked_at {
        1 => "The last run".to_owned(),
        many => format!("Of the last {} runs", numbers::count(many as i64)),
    };
    match lost.windows {
        1 if lost.looked_at == 1 => format!("{of} failed, and no later run has brought its files"),
        1 => format!("{of} one failed whose files no later run has brought"),
        many => format!(
            "{of} {} failed whose files no later run has brought",
            numbers::count(many as i64)
        ),
    }
}

fn stuck(judged: &Judgement, now_ms: i64) -> String {
    let since = judged.running_since_at.unwrap_or(now_ms);
    let lasts = numbers::duration(now_ms.saturating_sub(since));
    match judged.usual_duration_ms {
        Some(usual) => format!(
            "A run has been going on for {lasts}. Usual are {} to {} ({} runs).",
            numbers::duration(usual.low),
            numbers::duration(usual.high),
            usual.runs
        ),
        None => {
            format!("A run has been going on for {lasts}; there is not enough history to say what is usual.")
        }
    }
}

fn usually(usual: Option<Usual>) -> String {
    usual.map_or_else(
        || " There is not enough history to say what is usual.".to_owned(),
        |usual| {
            format!(
                " Usual are {} to {} ({} runs).",
                numbers::count(usual.low),
                numbers::count(usual.high),
                usual.runs
            )
        },
    )
}

fn odd_beyond(usual: Option<Usual>) -> String {
    let Some((least, most)) = usual.map(|usual| usual.odd_beyond()) else {
        return String::new();
    };
    let most = numbers::count(most);
    if least > 0 {
        format!(" Odd is what is below {} or above {most}.", numbers::count(least))
    } else {
        format!(" Odd is what is above {most}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const NOW: i64 = 1_774_076_400_000; // 2026-03-21T07:00:00Z

    fn judged(base: Health) -> Judgement {
        Judgement {
            base,
            base_since_at: Some(NOW - 120 * MINUTE),
            in_a_row: 2,
            perhaps_longer: false,
            known_since_at: None,
            made_again_at: Vec::new(),
            lost: Lost::default(),
            brought_last_at: None,
            expected_at: Some(NOW - 60 * MINUTE),
            late_at: None,
            running_since_at: Some(NOW - 90 * MINUTE),
            stuck_at: None,
            last_records: Some(12),
            usual_duration_ms: Some(Usual {
                low: 8 * MINUTE,
                median: 9 * MINUTE,
                high: 10 * MINUTE,
                runs: 21,
            }),
            usual_records: Some(Usual {
                low: 9_800,
                median: 10_000,
                high: 10_400,
                runs: 10,
            }),
            never_brought_any: false,
        }
    }

    fn said(judged: &Judgement) -> (Health, String) {
        let view = HealthView::new(judged, &Times::new("UTC", NOW), NOW);
        (view.health, view.reason)
    }

    #[test]
    fn every_state_says_why() {
        for base in Health::ALL {
            let (health, reason) = said(&judged(*base));
            assert_eq!(health, *base);
            assert!(reason.ends_with('.') && reason.len() > 15, "{reason}");
        }
    }

    #[test]
    fn where_nothing_was_read_no_run_is_said_not_to_be_there() {
        let times = Times::new("UTC", NOW);
        let view = HealthView::new(&judged(Health::Waiting), &times, NEVER_READ);
        assert_eq!(
            (view.word, view.reason.as_str()),
            ("Not read yet", "Its runs were not read from Adobe yet.")
        );
        assert_eq!(
            HealthView::new(&judged(Health::Waiting), &times, NOW).word,
            "Waiting"
        );
        assert_eq!(
            HealthView::new(&judged(Health::Failed), &times, NEVER_READ).word,
            "Failed"
        );
    }

    #[test]
    fn one_word_does_not_hide_the_rest() {
        let lost = Lost {
            looked_at: 30,
            windows: 2,
            ..Lost::default()
        };
        let with = |base, late_at| Judgement {
            lost: lost.clone(),
            late_at,
            brought_last_at: Some(NOW - 180 * MINUTE),
            ..judged(base)
        };
        let sentence = "Of the last 30 runs 2 failed whose files no later run has brought.";
        assert!(said(&with(Health::Well, None)).1.ends_with(sentence));
        let late = Some(NOW - 45 * MINUTE);
        let failed = said(&with(Health::Failed, late)).1;
        assert_eq!(
            failed,
            "The last 2 runs failed. Another was expected at 21 Mar, 06:00 UTC, and none has come. Records came last \
             with the run of 21 Mar, 04:00 UTC."
        );
        let (health, empty) = said(&with(Health::Empty, late));
        assert_eq!(health, Health::Late);
        assert!(
            empty.contains("The last run that ended brought no records. Records came last"),
            "{empty}"
        );
    }

    #[test]
    fn where_older_runs_are_not_known_none_is_called_the_first() {
        let (_, all) = said(&judged(Health::Waiting));
        assert!(
            all.starts_with("There was no run yet. The first is expected at "),
            "{all}"
        );
        let (_, some) = said(&Judgement {
            known_since_at: Some(NOW - 60 * MINUTE),
            ..judged(Health::Waiting)
        });
        let beginning = "No run was seen since 21 Mar, 06:00 UTC. The next is expected at ";
        assert!(some.starts_with(beginning), "{some}");
    }

    #[test]
    fn why_a_flow_is_off_is_told_where_it_is_known() {
        let view = || HealthView::new(&judged(Health::Off), &Times::new("UTC", NOW), NOW);
        assert!(view().of_flow("disabled", false).reason.contains("switched off"));
        assert!(
            view()
                .of_flow("disabled", true)
                .reason
                .contains("not list it any more")
        );
        assert!(
            view()
                .of_flow("draft", false)
                .reason
                .contains("\u{201c}draft\u{201d}")
        );
        let well = HealthView::new(&judged(Health::Well), &Times::new("UTC", NOW), NOW);
        assert_eq!(well.clone().of_flow("enabled", false).reason, well.reason);
    }

    #[test]
    fn figures_stand_in_the_sentence() {
        assert_eq!(
            said(&judged(Health::Odd)).1,
            "The last run brought 12 records. Usual are 9,800 to 10,400 (10 runs). Odd is what is below 6,800 or \
             above 13,400."
        );
        let late = Judgement {
            late_at: Some(NOW - 45 * MINUTE),
            ..judged(Health::Well)
        };
        assert_eq!(
            said(&late),
            (
                Health::Late,
                "A run was expected at 21 Mar, 06:00 UTC. It should have been seen by 21 Mar, 06:15 UTC, and none has \
                 come."
                    .into()
            )
        );
        let stuck = Judgement {
            stuck_at: Some(NOW),
            ..judged(Health::Running)
        };
        assert_eq!(
            said(&stuck).1,
            "A run has been going on for 1 h 30 min. Usual are 8 min to 10 min (21 runs)."
        );
        assert_eq!(said(&judged(Health::Failed)).1, "The last 2 runs failed.");
        let for_long = Judgement {
            in_a_row: 30,
            perhaps_longer: true,
            ..judged(Health::Failed)
        };
        assert_eq!(
            said(&for_long).1,
            "The last 30 runs failed. All runs that were looked at say so, and those before them may, too."
        );
    }
}
