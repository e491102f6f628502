use super::*;

/// One spot a minute.
fn series(values: &[f64]) -> Watched {
    let spot = |(i, &v): (usize, &f64)| Spot {
        from: 60.0 * i as f64,
        to: 60.0 * (i + 1) as f64,
        low: v,
        high: v,
        last: v,
        after_gap: false,
    };
    Watched {
        id: "gateway/swap".into(),
        service: "gateway".into(),
        metrics: vec!["swap".into(), "swap_bytes".into()],
        title: "gateway/swap".into(),
        kind: Kind::Other,
        primary: false,
        spots: values.iter().enumerate().map(spot).collect(),
        least_s: 0.0,
        lower_bound: false,
        judged: false,
        rates: Vec::new(),
        severities: Vec::new(),
        rule: "HD060",
        gained: 0.0,
        accepted: false,
    }
}

fn budget(subject: &str, watch: Watch) -> MonitorBudget {
    MonitorBudget {
        subject: Some(Glob::new(subject)),
        watch,
    }
}

fn monitored(series: Watched) -> Monitored {
    Monitored {
        series: vec![series],
        ..Monitored::default()
    }
}

#[test]
fn conditions_are_read() {
    let c = Condition::parse("> 0 for 10m").unwrap();
    assert_eq!(
        (c.comparison, c.limit, c.seconds),
        (Comparison::Above, 0.0, 600.0)
    );
    assert_eq!(Condition::parse(">= 200MB").unwrap().limit, 200e6);
    assert_eq!(
        Condition::parse("<1").unwrap().comparison,
        Comparison::Below
    );
    for bad in ["", "0", "> x", "> 1 for", "> 1 for ever", "=> 1"] {
        assert_eq!(Condition::parse(bad), None, "{bad}");
    }
}

fn swap(condition: &str, of: Watched) -> Answer {
    let watch = Watch::Condition(Condition::parse(condition).unwrap());
    let answers = budget("swap_bytes", watch).watch(&monitored(of));
    answers.unwrap().remove(0).answer
}

#[test]
fn a_condition_breaks_when_it_has_lasted() {
    let lasting = |values: &[f64]| swap("> 0 for 3m", series(values));
    let broke = lasting(&[0., 1., 1., 0., 1., 1., 1., 1., 0.]);
    assert_eq!(broke, Answer::Beyond(420.0));
    assert_eq!(lasting(&[0., 1., 1., 0., 1., 1., 0., 1.]), Answer::Within);
    let short = lasting(&[1., 1.]);
    assert!(matches!(short, Answer::Unknown(_)), "{short:?}");
    assert!(matches!(lasting(&[]), Answer::Unknown(_)));
    assert_eq!(swap("< 1", series(&[3., 2., 0.5])), Answer::Beyond(120.0));
    assert_eq!(swap("> 2", series(&[1., 2., 1.])), Answer::Within);
}

#[test]
fn what_is_missing_does_not_last() {
    let mut gap = series(&[1.0; 6]);
    gap.spots[3].after_gap = true;
    assert_eq!(swap("> 0 for 4m", gap.clone()), Answer::Within);
    assert_eq!(swap("> 0 for 3m", gap), Answer::Beyond(180.0));
    // A minute that is above for a part of it counts from its end on.
    let mut part = series(&[0., 1., 1., 1.]);
    part.spots[1].low = 0.0;
    assert_eq!(swap("> 0 for 2m", part.clone()), Answer::Beyond(240.0));
    assert_eq!(swap("> 0", part), Answer::Beyond(60.0));
}

#[test]
fn a_service_is_its_memory_and_a_metric_is_itself() {
    let mut memory = series(&[1.0; 9]);
    let rate = |subject: &str| budget(subject, Watch::Rate(50.0));
    assert!(rate("gateway").watch(&monitored(memory.clone())).is_err());
    memory.kind = Kind::Memory;
    assert!(rate("gateway").watch(&monitored(memory.clone())).is_err());
    let answer = rate("swap").watch(&monitored(memory.clone())).unwrap();
    assert!(matches!(answer[0].answer, Answer::Unknown(_)), "no rate");
    memory.primary = true;
    memory.judged = true;
    for subject in ["gateway", "gate*", "gateway/*", "swap", "*"] {
        let answer = rate(subject).watch(&monitored(memory.clone())).unwrap();
        assert_eq!(answer[0].answer, Answer::Within, "{subject}");
    }
    assert!(rate("other*").watch(&monitored(memory.clone())).is_err());
    memory.severities = vec![(Severity::Warning, 5.0), (Severity::Critical, 7.0)];
    for (from, answer) in [
        (Severity::Warning, Answer::Beyond(5.0)),
        (Severity::Critical, Answer::Beyond(7.0)),
        (Severity::Emergency, Answer::Within),
    ] {
        let watch = budget("gateway", Watch::Severity(from));
        let watched = watch.watch(&monitored(memory.clone())).unwrap();
        assert_eq!(watched[0].answer, answer);
    }
}

#[test]
fn endpoints_break_at_the_hour_in_which_they_do() {
    let window = |at: i64, errors: u32| Load {
        at,
        ended: 20.0,
        seconds: 20.0 * if errors > 0 { 40.0 } else { 0.1 },
        longest: if errors > 0 { 49.0 } else { 0.2 },
        errors,
        timeouts: errors / 10,
        ..Load::default()
    };
    let monitored = Monitored {
        requests: vec![Requested {
            endpoint: "GET /export/".into(),
            count: 2000,
            errors: 110,
            timeouts: 10,
            p99: Some(49.0),
            // One failure at first, ten a minute from the 90th minute on.
            windows: (0..100)
                .map(|i| window(i, if i == 0 { 1 } else { 10 * u32::from(i >= 90) }))
                .collect(),
            accepted: false,
        }],
        window_s: 60.0,
        ..Monitored::default()
    };
    let answer = |watch| {
        budget("GET *", watch)
            .watch(&monitored)
            .unwrap()
            .remove(0)
            .answer
    };
    // The share of the hour crosses 5 % a few minutes later.
    let Answer::Beyond(at) = answer(Watch::Success(0.95)) else {
        panic!("within");
    };
    assert!((at / 60.0 - 95.0).abs() <= 2.0, "{at}");
    assert_eq!(answer(Watch::Success(0.94)), Answer::Within);
    assert_eq!(answer(Watch::Duration(50.0)), Answer::Within);
    assert!(matches!(answer(Watch::Duration(30.0)), Answer::Beyond(at) if at <= 90.0 * 60.0));
    assert_eq!(answer(Watch::Timeouts(0.01)), Answer::Within);
    assert!(matches!(answer(Watch::Timeouts(0.001)), Answer::Beyond(at) if at >= 90.0 * 60.0));
}
