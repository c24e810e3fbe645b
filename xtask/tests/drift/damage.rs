//! Pages that were cut off, mangled or made to hurt.

use proptest::prelude::*;
use xtask::drift::{Side, Verdict, fragments, text};

use super::{CASES, CREATE_ORDER, GET_ORDER, report};

/// Where the OpenAPI block of a page starts and ends, in bytes.
fn block(page: &str) -> (usize, usize) {
    let start = page.find("```yaml\n").unwrap();
    (start, start + page[start..].find("\n```\n").unwrap() + 5)
}

#[test]
fn a_page_cut_off_anywhere_shows_no_drift_and_says_where_it_ends() {
    for (page, step) in [(GET_ORDER, 11), (CREATE_ORDER, 1)] {
        let (start, end) = block(page);
        let (mut compared, mut last) = (0, 0);
        for cut in (0..page.len()).step_by(step) {
            let Some(part) = page.get(..cut) else { continue };
            let report = report(part);
            assert_eq!(report.findings, vec![], "cut at {cut}: {}", text(&report));
            if cut > start + 8 && cut < end - 1 {
                assert_eq!(report.verdict(), Verdict::Unsure, "cut at {cut}");
                let [trouble] = report.troubles.as_slice() else {
                    panic!("cut at {cut}: {}", text(&report))
                };
                let lines = part.lines().count();
                assert!(
                    trouble.line <= lines && trouble.line + 1 >= lines,
                    "cut at {cut}, {lines} lines: {trouble}"
                );
                assert!(report.operations >= last, "the longer, the more: {cut}");
                last = report.operations;
                compared += usize::from(report.operations > 0);
            }
        }
        assert!(compared * step > (end - start) / 2, "{compared} of {}", end - start);
    }
}

/// What is in front of the cut is compared all the same.
#[test]
fn a_cut_page_still_shows_what_they_say_and_we_do_not() {
    let page = GET_ORDER.replace(
        "        - name: limit\n",
        "        - name: size\n          in: query\n          schema: {type: integer}\n        - name: limit\n",
    );
    let (_, end) = block(&page);
    let report = report(&page[..end - 60]);
    let told: Vec<_> = report.findings.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["query parameter size: is missing here"], "{}", text(&report));
    let [trouble] = report.troubles.as_slice() else {
        panic!("{}", text(&report))
    };
    assert!(
        trouble.to_string().starts_with("page.md:") && trouble.what.contains("compared up to line"),
        "{trouble}"
    );
}

#[test]
fn a_block_that_breaks_in_the_middle_is_compared_up_to_there() {
    let page = CREATE_ORDER.replace("      responses:\n", "      responses: [\n");
    let report = report(&page);
    assert_eq!(report.findings, vec![], "{}", text(&report));
    let [trouble] = report.troubles.as_slice() else {
        panic!("{}", text(&report))
    };
    assert!(
        trouble.what.contains("no valid YAML") && trouble.what.contains("compared up to line"),
        "{trouble}"
    );
    assert_eq!(report.operations, 1);
}

#[test]
fn other_ways_to_lose_a_block_are_told() {
    let collapsed = "# Get Order ## OpenAPI Specification\n```yaml openapi: 3.1.0 info: title: shop\n";
    let headless = "# Get Order\n\n## OpenAPI Specification\n\n";
    let empty = "# Get Order\n\n## OpenAPI Specification\n\n```yaml\n";
    let list = "```yaml\nopenapi: 3.1.0\n- a\n```\n";
    for (page, line, said) in [
        (collapsed, 2, "line breaks"),
        (headless, 3, "should begin"),
        (empty, 5, "begins"),
        (list, 3, "no valid YAML"),
    ] {
        let found = fragments("page.md", page);
        assert_eq!(found.len(), 1, "{page}");
        let trouble = found[0].trouble.clone().unwrap();
        assert_eq!(trouble.line, line, "{trouble}");
        assert!(trouble.what.contains(said), "{trouble}");
    }
}

#[test]
fn blocks_are_found_however_they_are_fenced() {
    let body = "openapi: 3.1.0\npaths: {}\n";
    let indented: String = body.lines().map(|line| format!("    {line}\n")).collect();
    for page in [
        format!("```yaml\n{body}```\n"),
        format!("```yml title=\"x\"\r\n{}```\r\n", body.replace('\n', "\r\n")),
        format!("~~~~ yaml\n{body}~~~~\n"),
        format!("````\n{body}````\n"),
        format!("<Tab>\n    ```yaml\n{indented}    ```\n</Tab>\n"),
        format!("```python\nopenapi: 1\n```\n```yaml\nother: 1\n```\n```yaml\n{body}```\n"),
    ] {
        let found = fragments("page.md", &page);
        assert_eq!(found.len(), 1, "{page}");
        assert!(
            found[0].document.is_some() && found[0].trouble.is_none(),
            "{page}: {:?}",
            found[0].trouble
        );
    }
    assert!(fragments("page.md", "```yaml\nno: openapi here\n").is_empty());
}

#[test]
fn documents_made_to_hurt_end() {
    let bomb: String = (1..30)
        .map(|n| format!("  a{n}: &a{n} [*a{0}, *a{0}, *a{0}]\n", n - 1))
        .collect();
    let bomb = format!("```yaml\nopenapi: 3.1.0\npaths: {{}}\nx:\n  a0: &a0 [1]\n{bomb}```\n");
    let deep = format!(
        "```yaml\nopenapi: 3.1.0\npaths: {}{}\n```\n",
        "[".repeat(20_000),
        "]".repeat(20_000)
    );
    let circle = CREATE_ORDER
        .replace("            schema:\n              type: object\n", "            schema:\n              allOf: [{$ref: '#/components/schemas/A'}]\n")
        .replace("servers:\n", "components: {schemas: {A: {allOf: [{$ref: '#/components/schemas/A'}, {$ref: '#/components/schemas/A'}], oneOf: [{$ref: '#/components/schemas/A'}]}}}\nservers:\n");
    for page in [bomb, deep, circle] {
        // That it ends is the point; what it says of such a page matters less.
        assert_ne!(text(&report(&page)), "");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_cut_page_never_shows_what_only_we_say(case in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>()) {
        let page = case.get(&CASES).text();
        let cut = (0..=cut.index(page.len())).rev().find(|at| page.is_char_boundary(*at)).unwrap();
        let (start, end) = block(&page);
        let whole: Vec<_> = report(&page).findings.iter().map(ToString::to_string).collect();
        let part = report(&page[..cut]);
        prop_assert!(part.findings.iter().all(|one| cut >= end - 1 || one.side != Side::Ours), "{}", text(&part));
        prop_assert!(cut >= end - 1 || cut <= start + 8 || !part.troubles.is_empty());
        for finding in part.findings.iter().map(ToString::to_string) {
            // A type may be known less well than on the whole page; the place is the same.
            let place = finding.split(": ").next().unwrap();
            prop_assert!(whole.iter().any(|one| one.starts_with(place)), "{finding} is not in {whole:?}");
        }
    }

    #[test]
    fn no_page_is_too_strange(
        case in any::<prop::sample::Index>(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, "[-\\[\\]{}:,&*!|>'\"#%@` a\n\u{e9}]{0,6}"), 1..6),
    ) {
        let mut page: Vec<char> = case.get(&CASES).text().chars().collect();
        for (at, removed, text) in edits {
            let at = at.index(page.len());
            let end = (at + removed).min(page.len());
            page.splice(at..end, text.chars());
        }
        let page: String = page.into_iter().collect();
        let report = report(&page);
        for trouble in &report.troubles {
            prop_assert!((1..=page.lines().count() + 1).contains(&trouble.line), "{}", trouble);
        }
        prop_assert!(!text(&report).is_empty());
    }
}
