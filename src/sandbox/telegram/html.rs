//! Telegram's HTML mode, read as strictly as the real server reads it, with its complaints word by word.

use serde_json::{Value, json};

/// A text and its marks, as Telegram keeps them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parsed {
    /// The text without marks.
    pub text: String,
    /// `MessageEntity` objects, counted in UTF-16 units, the outer before the inner.
    pub entities: Vec<Value>,
}

/// Makes a person's text harmless.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The kind of entity that a tag makes.
fn kind(tag: &str) -> Option<&'static str> {
    Some(match tag {
        "b" | "strong" => "bold",
        "i" | "em" => "italic",
        "u" | "ins" => "underline",
        "s" | "strike" | "del" => "strikethrough",
        "a" => "text_link",
        "code" => "code",
        "pre" => "pre",
        "blockquote" => "blockquote",
        "tg-spoiler" | "span" => "spoiler",
        "tg-emoji" => "custom_emoji",
        _ => return None,
    })
}

/// A tag that is still open.
struct Open {
    name: String,
    kind: &'static str,
    argument: String,
    place: usize,
    offset: usize,
}

struct Reader<'a> {
    html: &'a str,
    at: usize,
    out: String,
    units: usize,
    open: Vec<Open>,
    entities: Vec<(usize, Value)>,
}

/// The text without its marks and the marks, or the server's complaint.
pub(super) fn parse(html: &str) -> Result<Parsed, String> {
    let mut reader = Reader { html, at: 0, out: String::new(), units: 0, open: Vec::new(), entities: Vec::new() };
    reader.read().map_err(|why| format!("Bad Request: can't parse entities: {why}"))?;
    let Reader { out, mut entities, .. } = reader;
    entities.sort_by_key(|(place, _)| *place);
    Ok(trimmed(&out, entities.into_iter().map(|(_, entity)| entity).collect()))
}

/// The server cuts off white space at both ends; marks that lose all they had are dropped.
pub(super) fn trimmed(text: &str, entities: Vec<Value>) -> Parsed {
    let front = text[..text.len() - text.trim_start().len()].encode_utf16().count();
    let text = text.trim().to_owned();
    let length = text.encode_utf16().count();
    let entities = entities
        .into_iter()
        .filter_map(|mut entity| {
            let number = |name: &str| usize::try_from(entity[name].as_u64().unwrap_or(0)).unwrap_or(0);
            let (start, end) = (number("offset"), number("offset") + number("length"));
            let (start, end) = (start.saturating_sub(front).min(length), end.saturating_sub(front).min(length));
            (end > start).then(|| {
                entity["offset"] = json!(start);
                entity["length"] = json!(end - start);
                entity
            })
        })
        .collect();
    Parsed { text, entities }
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.html[self.at..].chars().next()
    }

    /// Skips characters while they are so, and returns them.
    fn take_while(&mut self, so: impl Fn(char) -> bool) -> &str {
        let start = self.at;
        while let Some(c) = self.peek().filter(|c| so(*c)) {
            self.at += c.len_utf8();
        }
        &self.html[start..self.at]
    }

    fn put(&mut self, c: char) {
        self.units += c.len_utf16();
        self.out.push(c);
    }

    fn read(&mut self) -> Result<(), String> {
        while let Some(c) = self.peek() {
            if c == '<' {
                if self.html[self.at..].starts_with("</") { self.end_tag()? } else { self.start_tag()? }
            } else if let Some((decoded, used)) = entity(&self.html[self.at..]) {
                self.put(decoded);
                self.at += used;
            } else {
                self.put(c);
                self.at += c.len_utf8();
            }
        }
        match self.open.last() {
            Some(open) => Err(format!("Can't find end tag corresponding to start tag \"{}\"", open.name)),
            None => Ok(()),
        }
    }

    fn start_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let unclosed = || format!("Unclosed start tag at byte offset {begin}");
        self.at += 1;
        let name = self.take_while(|c| !c.is_ascii_whitespace() && c != '>').to_lowercase();
        self.peek().ok_or_else(unclosed)?;
        let kind = kind(&name).ok_or_else(|| format!("Unsupported start tag \"{name}\" at byte offset {begin}"))?;
        let mut argument = String::new();
        loop {
            self.take_while(|c| c.is_ascii_whitespace());
            if self.peek().ok_or_else(unclosed)? == '>' {
                self.at += 1;
                break;
            }
            let attribute = self.take_while(|c| !c.is_ascii_whitespace() && c != '=' && c != '>').to_lowercase();
            if attribute.is_empty() {
                return Err(format!("Empty attribute name in the tag \"{name}\" at byte offset {begin}"));
            }
            self.take_while(|c| c.is_ascii_whitespace());
            if self.peek() != Some('=') {
                if name == "blockquote" && attribute == "expandable" {
                    continue;
                }
                return Err(format!(
                    "Expected equal sign in declaration of an attribute of the tag \"{name}\" at byte offset {begin}"
                ));
            }
            self.at += 1;
            let value = self.value(begin)?;
            match (name.as_str(), attribute.as_str()) {
                ("a", "href") | ("tg-emoji", "emoji-id") | ("span", "class") => argument = value,
                ("code", "class") => value.strip_prefix("language-").unwrap_or_default().clone_into(&mut argument),
                _ => {}
            }
        }
        if name == "span" && argument != "tg-spoiler" {
            return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {begin}"));
        }
        self.open.push(Open { name, kind, argument, place: begin, offset: self.units });
        Ok(())
    }

    fn value(&mut self, begin: usize) -> Result<String, String> {
        self.take_while(|c| c.is_ascii_whitespace());
        let start = self.at;
        let Some(quote @ ('"' | '\'')) = self.peek() else {
            let token = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.' || c == '-').to_lowercase();
            return match self.peek() {
                Some(c) if c == '>' || c.is_ascii_whitespace() => Ok(token),
                _ => Err(format!("Unexpected end of name token at byte offset {start}")),
            };
        };
        self.at += 1;
        let mut value = String::new();
        loop {
            match self.peek() {
                None => return Err(format!("Unclosed start tag at byte offset {begin}")),
                Some(c) if c == quote => break,
                Some(c) => {
                    let (c, used) = entity(&self.html[self.at..]).unwrap_or((c, c.len_utf8()));
                    value.push(c);
                    self.at += used;
                }
            }
        }
        self.at += 1;
        Ok(value)
    }

    fn end_tag(&mut self) -> Result<(), String> {
        let begin = self.at;
        let Some(open) = self.open.pop() else { return Err(format!("Unexpected end tag at byte offset {begin}")) };
        self.at += 2;
        let name = self.take_while(|c| !c.is_ascii_whitespace() && c != '>').to_lowercase();
        self.take_while(|c| c.is_ascii_whitespace());
        if self.peek() != Some('>') {
            return Err(format!("Unclosed end tag at byte offset {begin}"));
        }
        self.at += 1;
        if !name.is_empty() && name != open.name {
            return Err(format!(
                "Unmatched end tag at byte offset {begin}, expected \"</{}>\", found \"</{name}>\"",
                open.name
            ));
        }
        let length = self.units - open.offset;
        if length == 0 {
            return Ok(());
        }
        let mut made = json!({ "type": open.kind, "offset": open.offset, "length": length });
        match open.kind {
            // A link without an address, or with one that is none, is plain text to the server.
            "text_link" if !["http://", "https://", "tg://"].iter().any(|s| open.argument.starts_with(s)) => {
                return Ok(());
            }
            "text_link" => made["url"] = json!(open.argument),
            "custom_emoji" => made["custom_emoji_id"] = json!(open.argument),
            "code" if !open.argument.is_empty() => made["language"] = json!(open.argument),
            _ => {}
        }
        self.entities.push((open.place, made));
        Ok(())
    }
}

/// The character that an HTML entity at the front stands for, and how long the entity is. Only these are known.
fn entity(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('&')?;
    for (name, c) in [("lt", '<'), ("gt", '>'), ("amp", '&'), ("quot", '"')] {
        if let Some(after) = rest.strip_prefix(name)
            && !after.starts_with(|c: char| c.is_ascii_alphabetic())
        {
            return Some((c, 1 + name.len() + usize::from(after.starts_with(';'))));
        }
    }
    let number = rest.strip_prefix('#')?;
    let (digits, radix, before) = number.strip_prefix('x').map_or((number, 10, 2), |hex| (hex, 16, 3));
    let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let c = u32::from_str_radix(&digits[..length], radix).ok().and_then(char::from_u32).filter(|c| *c != '\0')?;
    Some((c, before + length + usize::from(digits[length..].starts_with(';'))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn marks_are_counted_in_utf16_units() {
        let parsed =
            parse("😀 <b>a<i>b</i></b> &amp; &lt;b&gt;&#33;<a href=\"https://a.b/?x=1&amp;y=2\">c</a>\n").unwrap();
        assert_eq!(parsed.text, "😀 ab & <b>!c");
        assert_eq!(parsed.entities[0], json!({ "type": "bold", "offset": 3, "length": 2 }));
        assert_eq!(parsed.entities[1], json!({ "type": "italic", "offset": 4, "length": 1 }));
        assert_eq!(parsed.entities[2]["url"], "https://a.b/?x=1&y=2");
    }

    #[test]
    fn complaints_are_the_servers() {
        for (html, why) in [
            ("<b>a", "Can't find end tag corresponding to start tag \"b\""),
            ("a</b>", "Unexpected end tag at byte offset 1"),
            ("<x>a</x>", "Unsupported start tag \"x\" at byte offset 0"),
            ("é <b", "Unclosed start tag at byte offset 3"),
            ("<b><i>a</b></i>", "Unmatched end tag at byte offset 7, expected \"</i>\", found \"</b>\""),
            ("<span>a</span>", "Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"),
            ("<a href>a</a>", "Expected equal sign in declaration of an attribute of the tag \"a\" at byte offset 0"),
            ("<a href=a/b>c</a>", "Unexpected end of name token at byte offset 8"),
            ("1 < 2", "Unsupported start tag \"\" at byte offset 2"),
        ] {
            assert_eq!(parse(html), Err(format!("Bad Request: can't parse entities: {why}")), "{html}");
        }
    }

    #[test]
    fn what_is_allowed_passes() {
        for html in
            ["<span class='tg-spoiler'>a</span>", "<blockquote expandable>a</blockquote>", "<B>a</b >", "a & b &nbsp;"]
        {
            assert!(parse(html).is_ok(), "{html}");
        }
    }
}
