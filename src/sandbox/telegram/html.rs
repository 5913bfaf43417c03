//! Telegram's HTML mode, read as strictly as the real server reads it.

/// Makes a person's text harmless.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The tags that the Bot API knows.
const TAGS: [&str; 16] = [
    "b",
    "strong",
    "i",
    "em",
    "u",
    "ins",
    "s",
    "strike",
    "del",
    "a",
    "code",
    "pre",
    "blockquote",
    "tg-spoiler",
    "span",
    "tg-emoji",
];

/// The text without its marks, or the server's complaint.
pub(super) fn plain(html: &str) -> Result<String, String> {
    let fail = |why: String| Err(format!("Bad Request: can't parse entities: {why}"));
    let (mut out, mut open, mut rest, mut at) = (String::new(), Vec::new(), html, 0_usize);
    while let Some(c) = rest.chars().next() {
        let used = match c {
            '<' => {
                let Some(end) = rest.find('>') else { return fail(format!("Unclosed start tag at byte offset {at}")) };
                let tag = &rest[1..end];
                if let Some(name) = tag.strip_prefix('/') {
                    if open.pop().as_deref() != Some(name) {
                        return fail(format!("Unexpected end tag at byte offset {at}"));
                    }
                } else {
                    let name = tag.split_whitespace().next().unwrap_or_default().to_lowercase();
                    if !TAGS.contains(&name.as_str()) {
                        return fail(format!("Unsupported start tag \"{name}\" at byte offset {at}"));
                    }
                    open.push(name);
                }
                end + 1
            }
            '&' => match ["&amp;", "&lt;", "&gt;", "&quot;"].into_iter().find(|e| rest.starts_with(e)) {
                Some(entity) => {
                    out.push(match entity {
                        "&amp;" => '&',
                        "&lt;" => '<',
                        "&gt;" => '>',
                        _ => '"',
                    });
                    entity.len()
                }
                None => {
                    out.push('&');
                    1
                }
            },
            c => {
                out.push(c);
                c.len_utf8()
            }
        };
        at += used;
        rest = &rest[used..];
    }
    match open.pop() {
        Some(name) => fail(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(out),
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_are_read_strictly() {
        assert_eq!(plain("<b>a</b> &amp; &lt;b&gt;").as_deref(), Ok("a & <b>"));
        for bad in ["<b>a", "a</b>", "<x>a</x>", "<b", "<b><i>a</b></i>"] {
            assert!(plain(bad).is_err(), "{bad}");
        }
    }
}
