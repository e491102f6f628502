//! Home directories are cut off what travels further than the machine that made it.

use regex::Regex;
use std::borrow::Cow;
use std::sync::LazyLock;

static HOMES: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?x)
        (?P<before> ^ | [\s"'=(:,>] )
        (?: /home/[^/\s"'<:]+ | /Users/[^/\s"'<:]+ | /root | [A-Za-z]:(?:\\\\|\\|/)Users(?:\\\\|\\|/)[^\\/\s"'<:]+ )
        (?P<after> / | \\ )"#,
    )
    .ok()
});

/// The text with home directories written as `~`: a report travels further than the machine that
/// made it.
pub(in crate::render) fn without_homes(text: &str) -> Cow<'_, str> {
    match &*HOMES {
        Some(homes) => homes.replace_all(text, "${before}~${after}"),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_cut_off_paths() {
        let cut = |t: &str| without_homes(t).into_owned();
        assert_eq!(cut("/home/ann/app/x.c:3 /root/y"), "~/app/x.c:3 ~/y");
        assert_eq!(cut(r#""C:\\Users\\ann\\x.c""#), r#""~\\x.c""#);
        assert_eq!(cut("/srv/home/ann/x"), "/srv/home/ann/x");
        assert_eq!(cut("/rooted/x /homes/y/z"), "/rooted/x /homes/y/z");
    }
}
