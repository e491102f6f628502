//! What a person is told about symbols: how many were found, in which files, and on what trust.

/// Paths that one note names; the others are counted.
const MOST_NAMED: usize = 4;
/// Digits of a build id that are shown.
const DIGITS: usize = 12;

/// Why a file is believed to be the one that ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Its build id is that of the capture.
    Build,
    /// Its path, and calls where the capture has addresses.
    Calls,
    /// Its path alone.
    Path,
}

/// What is to be said about one capture.
#[derive(Debug, Default)]
pub(super) struct Notes {
    asked: usize,
    named: usize,
    by_build: Vec<String>,
    by_calls: Vec<String>,
    by_path: Vec<String>,
    missing: Vec<String>,
    refused: Vec<String>,
}

impl Notes {
    /// So many places of a module are to be looked up.
    pub fn asked(&mut self, places: usize) {
        self.asked += places;
    }

    /// The module has no file.
    pub fn missing(&mut self, path: &str) {
        self.missing.push(path.to_owned());
    }

    /// The file at `path` has another build id than the capture.
    pub fn other_build(&mut self, path: &str, own: &str, wanted: &str) {
        let own = match own {
            "" => "has no build id".to_owned(),
            own => format!("has the build id {}", short(own)),
        };
        self.refused.push(format!(
            "no symbols from {path}: it {own}, the capture's is {}",
            short(wanted)
        ));
    }

    /// The file at `path` has no calls where the capture has return addresses.
    pub fn no_calls(&mut self, path: &str, elsewhere: usize, of: usize) {
        self.refused.push(format!(
            "no symbols from {path}: another build than the one captured, {elsewhere} of {of} addresses follow no call in it"
        ));
    }

    /// A file named so many of its places.
    pub fn found(&mut self, path: &str, build: &str, trust: Trust, named: usize) {
        self.named += named;
        let base = path.rsplit('/').next().unwrap_or(path);
        let shown = match build {
            "" => base.to_owned(),
            build => format!("{base} ({})", short(build)),
        };
        match trust {
            Trust::Build => self.by_build.push(base.to_owned()),
            Trust::Calls => self.by_calls.push(shown),
            Trust::Path => self.by_path.push(shown),
        }
    }

    /// The notes, the most important first.
    pub fn into_lines(self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} of {} code addresses named by program files",
            self.named, self.asked
        )];
        if !self.by_build.is_empty() {
            let files = list(&self.by_build);
            lines.push(format!("the build ids of {files} are those of the capture"));
        }
        if !self.by_calls.is_empty() {
            let files = list(&self.by_calls);
            lines.push(format!(
                "taken on trust of the path, since the capture has no build ids: {files}; the addresses follow calls there"
            ));
        }
        if !self.by_path.is_empty() {
            let files = list(&self.by_path);
            lines.push(format!(
                "taken on trust of the path alone, since the capture has no build ids: {files}"
            ));
        }
        lines.extend(self.refused);
        if !self.missing.is_empty() {
            let files = list(&self.missing);
            lines.push(format!(
                "not found: {files}; --symbolize=DIR names a folder or file that has it"
            ));
        }
        lines
    }
}

fn short(build: &str) -> &str {
    build.get(..DIGITS).unwrap_or(build)
}

fn list(names: &[String]) -> String {
    let mut text = names[..names.len().min(MOST_NAMED)].join(", ");
    if names.len() > MOST_NAMED {
        text.push_str(&format!(" and {} more", names.len() - MOST_NAMED));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_accounted_for() {
        let mut notes = Notes::default();
        notes.asked(12);
        notes.found("/opt/app", "0123456789abcdef", Trust::Calls, 3);
        notes.found("/lib/x.so", "", Trust::Build, 2);
        notes.other_build("/lib/y.so", "", "fedcba9876543210");
        for i in 0..6 {
            notes.missing(&format!("/lib/{i}.so"));
        }
        assert_eq!(
            notes.into_lines(),
            [
                "5 of 12 code addresses named by program files",
                "the build ids of x.so are those of the capture",
                "taken on trust of the path, since the capture has no build ids: app (0123456789ab); the addresses follow calls there",
                "no symbols from /lib/y.so: it has no build id, the capture's is fedcba987654",
                "not found: /lib/0.so, /lib/1.so, /lib/2.so, /lib/3.so and 2 more; --symbolize=DIR names a folder or file that has it",
            ]
        );
    }
}
