//! Which parts of the past are read next while a history is filled.

use std::collections::BTreeSet;

/// A span that would be read in less time is not halved any more, in milliseconds.
const LEAST_STEP_MS: i64 = 1_000;
const FIRST_STEP_MS: i64 = 3_600_000;
const LONGEST_STEP_MS: i64 = 16 * 86_400_000;
/// Pages that a span should have: few enough that none of the readers is late, many enough that the last page of
/// each, which is not full, does not count.
const WANTED_PAGES: usize = 20;
/// Pages that the last spans should have at least: where nothing is left to be found, shorter ones are many calls for
/// nothing.
const LEAST_PAGES: usize = 4;
/// A span with more pages is given back in two halves.
pub(super) const MOST_PAGES: usize = 4 * WANTED_PAGES;

/// From a time on and before another, UTC epoch milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    // Compared last: the one that ends later is the newer one.
    pub(super) to: i64,
    pub(super) from: i64,
}

impl Span {
    pub(super) fn can_be_halved(self) -> bool {
        self.to - self.from > LEAST_STEP_MS
    }

    pub(super) fn halves(self) -> [Self; 2] {
        let middle = self.from + (self.to - self.from) / 2;
        [
            Self {
                from: self.from,
                to: middle,
            },
            Self {
                from: middle,
                to: self.to,
            },
        ]
    }
}

/// The past from a goal up to a cursor, handed out newest first to several readers.
#[derive(Debug)]
pub(super) struct Plan {
    /// Nothing before was handed out yet.
    cursor: i64,
    goal: i64,
    step_ms: i64,
    readers: i64,
    /// Given back by a reader for which they were too long.
    waiting: BTreeSet<Span>,
    /// With readers.
    out: BTreeSet<Span>,
}

impl Plan {
    /// Everything from `filled_from` on is stored; the rest back to `goal` is for so many readers.
    pub(super) fn new(filled_from: i64, goal: i64, readers: u32) -> Self {
        Self {
            cursor: filled_from,
            goal,
            step_ms: FIRST_STEP_MS,
            readers: readers.max(1).into(),
            waiting: BTreeSet::new(),
            out: BTreeSet::new(),
        }
    }

    /// The newest span that nobody reads; none: there is none at the moment.
    pub(super) fn next(&mut self) -> Option<Span> {
        let span = self.waiting.pop_last().or_else(|| self.cut())?;
        self.out.insert(span);
        Some(span)
    }

    fn cut(&mut self) -> Option<Span> {
        let left = self.cursor - self.goal;
        if left <= 0 {
            return None;
        }
        // Towards the end shorter ones, so that all readers end at about the same time.
        let least = self.step_ms / (WANTED_PAGES / LEAST_PAGES) as i64;
        let share = (left / self.readers).max(least);
        let step = self
            .step_ms
            .min(share)
            .clamp(LEAST_STEP_MS, left.max(LEAST_STEP_MS));
        let span = Span {
            from: (self.cursor - step).max(self.goal),
            to: self.cursor,
        };
        self.cursor = span.from;
        Some(span)
    }

    /// Takes back a span that has too many pages.
    pub(super) fn split(&mut self, span: Span) {
        if self.out.remove(&span) {
            self.waiting.extend(span.halves());
        }
        self.step_ms = self.step_ms.min((span.to - span.from) / 4).max(LEAST_STEP_MS);
    }

    /// Takes note of what a span held, so that the next ones get the right length.
    pub(super) fn measured(&mut self, span: Span, pages: usize) {
        let length = span.to - span.from;
        let wanted =
            length.saturating_mul(WANTED_PAGES as i64) / i64::try_from(pages.max(1)).unwrap_or(i64::MAX);
        let longest = self.step_ms.saturating_mul(4).min(LONGEST_STEP_MS);
        self.step_ms = wanted.clamp(LEAST_STEP_MS, longest);
    }

    /// From when on everything will be stored once these spans are.
    pub(super) fn filled_from(&self, done: &[Span]) -> i64 {
        let with_readers = self.out.iter().rev().find(|span| !done.contains(span));
        let open = with_readers.into_iter().chain(self.waiting.last());
        open.map(|span| span.to).fold(self.cursor, i64::max)
    }

    /// These spans are stored.
    pub(super) fn finish(&mut self, done: &[Span]) {
        for span in done {
            self.out.remove(span);
        }
    }

    /// Whether nothing is left to be read but these spans, which were.
    pub(super) fn is_read(&self, done: &[Span]) -> bool {
        let all_out = self.cursor <= self.goal && self.waiting.is_empty();
        all_out && self.out.iter().all(|span| done.contains(span))
    }

    /// Whether nothing is left.
    pub(super) fn is_done(&self) -> bool {
        self.is_read(&[])
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY: i64 = 86_400_000;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        /// Readers that end in any order, and spans of any density: each moment is read, and nothing counts as
        /// stored before it is.
        #[test]
        fn each_moment_is_read_once_and_nothing_is_told_too_early(
            readers in 1_u32..9, density in 0_i64..4_000, turns in prop::collection::vec(any::<prop::sample::Index>(), 400)
        ) {
            let (begin, goal) = (90 * DAY, 0);
            let mut plan = Plan::new(begin, goal, readers);
            let (mut out, mut stored, mut told): (Vec<Span>, Vec<Span>, i64) = (vec![], vec![], begin);
            let mut turns = turns.into_iter().cycle();
            for _ in 0..200_000 {
                while out.len() < readers as usize {
                    let Some(span) = plan.next() else { break };
                    prop_assert!(span.from < span.to && span.from >= goal);
                    out.push(span);
                }
                if out.is_empty() { break }
                let span = out.swap_remove(turns.next().unwrap().index(out.len()));
                // Dense in every second week.
                let weight = if span.to / DAY % 14 < 7 { density } else { density / 50 };
                let pages = usize::try_from((span.to - span.from) * weight / DAY / 100).unwrap() + 1;
                if pages > MOST_PAGES && span.can_be_halved() {
                    plan.split(span);
                } else {
                    plan.measured(span, pages);
                    let filled = plan.filled_from(&[span]);
                    prop_assert!(filled <= told);
                    told = filled;
                    plan.finish(&[span]);
                    stored.push(span);
                    let missing = out.iter().any(|open| open.to > told);
                    prop_assert!(!missing, "a span above {told} is still being read");
                }
            }
            prop_assert!(plan.is_done());
            prop_assert_eq!(told, goal);
            stored.sort_unstable();
            let mut at = goal;
            for span in stored {
                prop_assert_eq!(span.from, at);
                at = span.to;
            }
            prop_assert_eq!(at, begin);
        }
    }

    #[test]
    fn an_empty_past_takes_few_calls() {
        let mut plan = Plan::new(400 * DAY, 0, 12);
        let mut calls = 0;
        while let Some(span) = plan.next() {
            plan.measured(span, 1);
            plan.finish(&[span]);
            calls += 1;
        }
        assert!(plan.is_done() && calls <= 50, "{calls}");
    }

    #[test]
    fn spans_come_to_hold_the_wanted_pages() {
        let mut plan = Plan::new(1_000 * DAY, 0, 8);
        let mut pages = 0;
        for _ in 0..40 {
            let span = plan.next().unwrap();
            // Fifty pages a day.
            pages = usize::try_from((span.to - span.from) * 50 / DAY).unwrap() + 1;
            plan.measured(span, pages);
            plan.finish(&[span]);
        }
        assert!((15..=22).contains(&pages), "{pages}");
    }
}
