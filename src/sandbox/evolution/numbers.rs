//! How the server turns what it is given into an address, and what the fake WhatsApp says to it.

use super::world::World;

/// What came of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub jid: String,
    pub exists: bool,
}

/// Whether it is a group's address.
pub(super) fn is_group(jid: &str) -> bool {
    jid.ends_with("@g.us")
}

/// The server's own guess (`createJid`).
fn guess(number: &str) -> String {
    if let Some((user, server)) = number.split_once('@')
        && matches!(server, "g.us" | "s.whatsapp.net" | "lid" | "broadcast")
    {
        let user = user.split(':').next().unwrap_or_default();
        return format!("{user}@{server}");
    }
    let text = number.split('@').next().unwrap_or_default();
    let keep = |dash: bool| -> String { text.chars().filter(|c| c.is_ascii_digit() || (dash && *c == '-')).collect() };
    if text.contains('-') && text.len() >= 24 {
        return format!("{}@g.us", keep(true));
    }
    let digits = keep(false);
    if digits.len() >= 18 {
        return format!("{digits}@g.us");
    }
    format!("{}@s.whatsapp.net", shortened(&digits))
}

/// Mexico and Argentina lose their third digit, Brazil its ninth where the old numbers had eight.
fn shortened(digits: &str) -> String {
    let is_long = digits.len() == 13;
    if is_long && (digits.starts_with("52") || digits.starts_with("54")) {
        return format!("{}{}", &digits[..2], &digits[3..]);
    }
    if is_long && digits.starts_with("55") && &digits[4..5] == "9" && &digits[2..4] >= "31" && &digits[5..6] >= "7" {
        return format!("{}{}", &digits[..4], &digits[5..]);
    }
    digits.to_owned()
}

/// The number under which WhatsApp knows it. In Brazil mobiles below area code 31 have nine digits, the others eight;
/// those that end in 1999 have nine everywhere, so that both cases can be tried.
fn registered(digits: &str) -> String {
    let Some(rest) = digits.strip_prefix("55").filter(|rest| matches!(rest.len(), 10 | 11)) else {
        return shortened(digits);
    };
    let (area, number) = rest.split_at(2);
    let eight = &number[number.len() - 8..];
    let is_mobile = number.len() == 9 || eight.starts_with(['7', '8', '9']);
    let has_nine = area < "31" || eight < "7" || eight.ends_with("1999");
    if is_mobile && has_nine { format!("55{area}9{eight}") } else { format!("55{area}{eight}") }
}

/// Asks the fake WhatsApp.
pub(super) fn look_up(number: &str, world: &World) -> Address {
    let guess = guess(number);
    let Some(digits) = guess.strip_suffix("@s.whatsapp.net") else {
        let exists = !is_group(&guess) || world.groups.iter().any(|group| group["id"] == *guess);
        return Address { jid: guess, exists };
    };
    let known = registered(digits);
    let absent = digits.len() < 8 || [number, digits, &known].iter().any(|n| world.is_absent(n));
    // A number with signs in it is matched by its guess alone (#290).
    let bare = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let exists = !absent && (bare || number.contains('@') || known == digits);
    let jid = if exists { format!("{known}@s.whatsapp.net") } else { guess };
    Address { jid, exists }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_the_addresses_that_were_recorded() {
        let world = World::new("key");
        for (number, jid, exists) in [
            ("5511988887777", "5511988887777@s.whatsapp.net", true),
            ("551188887777", "5511988887777@s.whatsapp.net", true),
            ("5531987654321", "553187654321@s.whatsapp.net", true),
            ("+55 (31) 98765-4321", "553187654321@s.whatsapp.net", true),
            ("+55 (31) 98766-1999", "553187661999@s.whatsapp.net", false),
            ("5531987661999", "5531987661999@s.whatsapp.net", true),
            ("553187671999", "5531987671999@s.whatsapp.net", true),
            ("5511912340000", "5511912340000@s.whatsapp.net", false),
            ("5215512345678", "525512345678@s.whatsapp.net", true),
            ("5491112345678", "541112345678@s.whatsapp.net", true),
            ("120363000000000001", "120363000000000001@g.us", true),
            ("120363111111111111@newsletter", "120363111111111111@g.us", false),
            ("5511988887777-1600000000@g.us", "5511988887777-1600000000@g.us", true),
            ("19139622407209@lid", "19139622407209@lid", true),
            ("123", "123@s.whatsapp.net", false),
            ("abc", "@s.whatsapp.net", false),
            ("", "@s.whatsapp.net", false),
        ] {
            assert_eq!(look_up(number, &world), Address { jid: jid.to_owned(), exists }, "{number}");
        }
    }
}
