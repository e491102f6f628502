//! The options of `go tool pprof`, in its spelling, and what they are called here.

use super::args::Cli;
use crate::error::Error;
use clap::CommandFactory;

/// pprof's names of what has another one here.
const OTHERWISE: &[(&str, &str)] = &[
    ("sample_index", "--metric NAME"),
    ("inuse_space", "--metric live_bytes"),
    ("inuse_objects", "--metric live_blocks"),
    ("alloc_space", "--metric total_bytes"),
    ("alloc_objects", "--metric total_blocks"),
    ("diff_base", "heapdiff compare BASE NEW"),
    ("nodecount", "--limit N"),
    ("top", "--limit N"),
    ("cum", "--sort cumulative"),
    ("flat", "--sort delta"),
    ("proto", "-o FILE.pb.gz"),
    ("svg", "-o FILE.svg"),
    ("unit", "--exact"),
    ("trim_path", "--trim-path PREFIX"),
    ("lines", "--group-by line"),
    ("functions", "--group-by function"),
    ("files", "--group-by file"),
];

/// What to say of an option with a single dash, if it is one that is known with two, or pprof's.
pub(super) fn single_dash<'a>(args: impl Iterator<Item = &'a str>) -> Option<Error> {
    for arg in args.take_while(|&a| a != "--") {
        let Some(rest) = arg.strip_prefix('-') else {
            continue;
        };
        let name = rest.split('=').next().unwrap_or_default();
        if name.len() < 2 || !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            continue;
        }
        let long = name.replace('_', "-");
        let pprofs = OTHERWISE.iter().find(|(theirs, _)| *theirs == name);
        let write = match pprofs {
            Some((_, ours)) => (*ours).to_owned(),
            None if is_known(&long) => format!("--{long}"),
            None => continue,
        };
        return Some(Error::usage(format!("-{name} is no option")).help(format!("write {write}")));
    }
    None
}

/// Whether some command has the option `--long`.
fn is_known(long: &str) -> bool {
    let cli = Cli::command();
    cli.get_subcommands()
        .flat_map(|command| command.get_arguments())
        .any(|argument| argument.get_long() == Some(long))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(args: &[&str]) -> Option<String> {
        single_dash(args.iter().copied()).map(|e| e.to_string())
    }

    #[test]
    fn pprofs_dash_gets_the_right_spelling() {
        for (arg, write) in [
            ("-focus=x", "write --focus"),
            ("-show_from", "write --show-from"),
            ("-sample_index=inuse_space", "write --metric NAME"),
            ("-diff_base", "write heapdiff compare BASE NEW"),
        ] {
            let said = says(&["compare", arg]).unwrap_or_default();
            assert!(said.ends_with(write), "{arg}: {said}");
        }
        assert_eq!(
            says(&["compare", "-q", "--focus", "-", "-@5", "a-focus"]),
            None
        );
        assert_eq!(says(&["compare", "--", "-focus"]), None);
    }
}
