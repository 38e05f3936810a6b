//! The README's shell blocks run as they stand.

use std::process::Command;

use super::Bench;

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_blocks_of_the_readme_work() {
    let bench = Bench::with(|options| options.manual_time = false).await;
    let readme = include_str!("../../../src/emulator/README.md");
    let blocks: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert_eq!(blocks.len(), 2);
    // A call that fails prints an error body and goes on; so the last answers are looked at.
    let output = Command::new("sh")
        .args(["-eu", "-c", &blocks.concat()])
        .env("PLATFORM", bench.running.url())
        .env("CONTROL", bench.running.control_url())
        .output()
        .expect("sh and curl are there");
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        output.status.success() && complained.is_empty(),
        "{said}\n{complained}"
    );
    let lines: Vec<&str> = said.lines().collect();
    let expected = [
        r#"{"result":true}"#,
        r#"[{"canFetchSchema":"#,
        r#"{"items":[{"createdAt":"#,
        r#"{"_links":{},"items":[]}"#,
        r#"{"id":1}"#,
        r#"{"id":2}"#,
        r#"{"rules":[{"#,
        r#"{"entries":[{"#,
        r#"{"error":"the emulator runs on the wall clock"#,
        r#"{"changed":0}"#,
    ];
    assert_eq!(lines.len(), expected.len(), "{said}");
    for (line, beginning) in lines.iter().zip(expected) {
        assert!(
            line.starts_with(beginning),
            "{line} should begin with {beginning}"
        );
    }
}
