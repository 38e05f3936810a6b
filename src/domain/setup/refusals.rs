//! Refusals of the platform in words: what is wrong, who can mend it, how.

use super::StepKind;

/// A refusal as people read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// A stable code for scripts and support.
    pub code: &'static str,
    /// What happened.
    pub title: &'static str,
    /// Who can mend it, and how.
    pub advice: &'static str,
}

const SPEC: Refusal = Refusal {
    code: "upstream.spec",
    title: "Adobe does not know this kind of source in this sandbox",
    advice: "Ask an admin whether the connector is enabled for your organization. Then press Resume.",
};
const SCHEMA: Refusal = Refusal {
    code: "upstream.schema",
    title: "The schema was not found in this organization",
    advice: "Choose another schema under Change answers, or have the schema restored at Adobe and press Resume.",
};
const TITLE_TAKEN: Refusal = Refusal {
    code: "upstream.title_taken",
    title: "A schema with this title exists and was not made here",
    advice: "Under Change answers give the schema another title, or choose the existing one. Nothing was taken over.",
};
const FORBIDDEN: Refusal = Refusal {
    code: "upstream.forbidden",
    title: "The platform account may not do this",
    advice: "An admin must give the API credential the permission that Adobe names below. Then press Resume.",
};
const SANDBOX: Refusal = Refusal {
    code: "upstream.sandbox",
    title: "The sandbox was not found",
    advice: "An admin must check the sandbox of this environment at Adobe. Then press Resume.",
};
const START: Refusal = Refusal {
    code: "schedule.passed",
    title: "Adobe says that the start time has passed",
    advice: "Start as soon as possible, or choose a new time under Change answers.",
};
const MAPPING: Refusal = Refusal {
    code: "upstream.mapping",
    title: "Adobe does not accept the mapping",
    advice: "Compare the mapping with the fields of the schema under Change answers; what Adobe says stands below.",
};
const AUTHENTICATION: Refusal = Refusal {
    code: "upstream.authentication",
    title: "Adobe does not know this way of signing in at the source",
    advice: "Choose another authentication under Change answers.",
};
const OTHER: Refusal = Refusal {
    code: "upstream.rejected",
    title: "Adobe refused a step",
    advice: "Mend the cause named below, at Adobe or under Change answers, then go on. Only refused steps are sent again.",
};

/// What a refusal with Adobe's `code` (such as `FLOW-1413-400`) and HTTP `status` means for a step.
///
/// The numbers are those of Adobe's list of Flow Service errors and of its Schema Registry guide.
pub fn refusal(step: StepKind, code: Option<&str>, status: Option<i64>) -> Refusal {
    let number = code.map(number_of).unwrap_or_default();
    match (number, status) {
        ("1413", _) => SPEC,
        ("1415", _) => AUTHENTICATION,
        ("1425" | "1010", _) => SCHEMA,
        ("1521", _) => TITLE_TAKEN,
        ("1360", _) => START,
        ("1412" | "1419", _) => MAPPING,
        ("2118" | "2120" | "2121", _) | (_, Some(403)) => FORBIDDEN,
        ("2100" | "2101" | "2103" | "2106", _) => SANDBOX,
        // The only thing that these two refer to is the schema.
        (_, Some(404)) if matches!(step, StepKind::Dataset | StepKind::MappingSet) => SCHEMA,
        _ => OTHER,
    }
}

/// `1413` out of `FLOW-1413-400`; a code of digits only is the gateway's own and has no number.
fn number_of(code: &str) -> &str {
    let mut parts = code.split('-').skip(1);
    parts.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e17_to_e21_documented_refusals_have_words_of_their_own() {
        let code = |step, code, status| refusal(step, code, status).code;
        use StepKind::*;
        assert_eq!(
            code(BaseConnection, Some("FLOW-1413-400"), Some(400)),
            "upstream.spec"
        );
        assert_eq!(code(Dataset, None, Some(404)), "upstream.schema");
        assert_eq!(
            code(TargetConnection, Some("FLOW-1425-400"), Some(400)),
            "upstream.schema"
        );
        assert_eq!(
            code(Schema, Some("XDM-1521-400"), Some(400)),
            "upstream.title_taken"
        );
        for forbidden in [Some("FLOW-2118-403"), Some("403025"), None] {
            assert_eq!(code(Flow, forbidden, Some(403)), "upstream.forbidden");
        }
        assert_eq!(code(Flow, Some("FLOW-2100-404"), Some(404)), "upstream.sandbox");
        assert_eq!(code(Flow, Some("FLOW-1360-400"), Some(400)), "schedule.passed");
        assert_eq!(code(Flow, Some("FLOW-9999-400"), Some(400)), "upstream.rejected");
        assert_eq!(code(Flow, Some("400003"), Some(400)), "upstream.rejected");
    }
}
