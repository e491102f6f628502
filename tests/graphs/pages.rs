//! The page of object graphs: what is in it, whatever the names are.

use super::dump::Dump;
use crate::program::run;

const EVIL: &str = "</script><img src=x onerror=alert(1)>";

/// Cycles of a type with a hostile name, and the page of two captures of them.
fn page(name: &str) -> String {
    let dir = tempfile::tempdir().unwrap();
    let mut args = vec!["cycles".to_owned()];
    for run in [10u64, 20, 40] {
        let mut d = Dump::python(run, ",\"gc\":\"none\",\"gc_enabled\":false");
        for _ in 0..run {
            let (a, b) = (d.id(), d.id());
            d.put(a, name, 1000, &[("peer", b)]);
            d.put(b, "app.Other", 64, &[("back", a)]);
        }
        let held = d.object("module", 48, &[]);
        d.root(held, "module", "main");
        let path = dir.path().join(format!("run-{run}.hdg"));
        std::fs::write(&path, d.finish()).unwrap();
        args.push(path.display().to_string());
    }
    let out = dir.path().join("page.html").display().to_string();
    args.extend(["-o".to_owned(), out.clone()]);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ran = run(&args);
    assert_eq!(ran.status, 0, "{}", ran.err);
    std::fs::read_to_string(out).unwrap()
}

#[test]
fn a_page_says_what_the_text_says() {
    let page = page("app.Broker");
    assert!(page.contains("<span class=\"verdict leak\">LEAK</span>"));
    for part in ["Summary", "Cycles", "Types and holders", "Inputs"] {
        assert!(page.contains(&format!("<h2>{part}</h2>")), "{part}");
    }
    assert!(page.contains("10 @10 -&gt; 20 @20 -&gt; 40 @40"));
    assert!(!page.contains("<h2>Timeline</h2>") && !page.contains("<h2>Gate</h2>"));
}

#[test]
fn hostile_names_are_text() {
    let page = page(EVIL);
    assert!(!page.contains("<img"));
    assert_eq!(page.matches("</script>").count(), 3);
    assert!(page.contains("&lt;img src=x"));
    let long = "x".repeat(10_000);
    assert!(self::page(&long).len() < 500_000);
    assert!(!self::page("a\u{202e}txt").contains('\u{202e}'));
}

#[test]
fn homes_are_cut_off() {
    let page = page("frame /home/ann/app/x.py");
    assert!(page.contains("frame ~/app/x.py") && !page.contains("/home/ann"));
}
