use super::*;
use jiff::civil::date;

#[test]
fn a_suppression_ends() {
    let mut s = foreign(Target::Anywhere(Glob::new("*")), "x".into(), "y".into());
    assert_eq!(s.standing(date(2100, 1, 1)), Standing::Holds);
    s.expires = Some(date(2027, 3, 1));
    for (today, standing) in [
        (date(2025, 3, 1), Standing::Holds),
        (date(2027, 2, 15), Standing::Holds),
        (date(2027, 2, 16), Standing::Ends(13)),
        (date(2027, 3, 1), Standing::Ends(0)),
        (date(2027, 3, 2), Standing::Expired),
        (date(2029, 1, 1), Standing::Expired),
    ] {
        assert_eq!(s.standing(today), standing, "{today}");
    }
}

#[test]
fn growth_by_other_captures_is_the_same_growth() {
    let mut s = foreign(Target::Anywhere(Glob::new("*")), "x".into(), "y".into());
    assert!(s.accepts("HD001") && s.accepts("HD045"));
    s.rule = super::super::rules::by_name("steady-growth");
    assert!(s.accepts("HD001") && s.accepts("HD003") && !s.accepts("HD002"));
    s.rule = super::super::rules::by_name("HD002");
    assert!(s.accepts("HD002") && !s.accepts("HD001"));
}

#[test]
fn foreign_files_are_told_apart() {
    let lsan = read_foreign("# c\nleak:foo\nthread:x\nleak:^a$\n", "f").unwrap();
    let globs: Vec<&str> = lsan
        .iter()
        .map(|s| match &s.target {
            Target::Anywhere(glob) => glob.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(globs, ["*foo*", "a"]);
    let valgrind = "{\n name\n Memcheck:Leak\n match-leak-kinds: all\n fun:_ZN3foo3barEv\n ...\n obj:*/libx.so\n}\n\
                    {\n other\n Memcheck:Cond\n fun:x\n}\n";
    let read = read_foreign(valgrind, "f").unwrap();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].place, "f line 1");
    let Target::Innermost(frames) = &read[0].target else {
        panic!("{read:?}");
    };
    assert_eq!(frames[0], FramePattern::Function(Glob::new("foo::bar()")));
    assert_eq!(frames[1], FramePattern::Any);
    for bad in [
        "{\n",
        "}\n",
        "{\n a\n}\n",
        "{\n a\n Memcheck:Leak\n}\n",
        "what\n",
    ] {
        assert!(read_foreign(bad, "f").is_err(), "{bad}");
    }
    assert!(read_foreign("", "f").unwrap().is_empty());
}
