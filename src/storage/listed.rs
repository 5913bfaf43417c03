//! Statements over a list of rows on SQLite. Reading rows from JSON costs as much there as writing them down, so they are
//! bound one by one.

use std::sync::OnceLock;

/// How many rows a statement may take.
const SIZES: [usize; 4] = [4, 16, 64, 256];
/// How many rows are handed over at most at once.
pub const MOST: usize = SIZES[SIZES.len() - 1];

/// A statement: `j` is the list, its columns are `c1`, `c2` and so on; `$1` to `$3` are other values, which are bound after
/// all of the list. It is prepared in a few sizes, and rows of nothing fill a list up.
pub struct Listed {
    columns: usize,
    before: &'static str,
    after: &'static str,
    texts: OnceLock<[String; SIZES.len()]>,
}

impl Listed {
    /// The list stands between `before` and `after`.
    pub const fn new(columns: usize, before: &'static str, after: &'static str) -> Self {
        Self { columns, before, after, texts: OnceLock::new() }
    }

    /// The text for at least `rows` rows, and how many it takes.
    pub fn text(&'static self, rows: usize) -> (&'static str, usize) {
        let texts = self.texts.get_or_init(|| {
            SIZES.map(|size| {
                let names: Vec<String> = (1..=self.columns).map(|n| format!("c{n}")).collect();
                // Places without a name: SQLite finds the name of each by looking through all.
                let list = vec![format!("({})", vec!["?"; self.columns].join(",")); size].join(",");
                let mut rest = format!("{} j {}", self.before, self.after);
                for n in 1..=3 {
                    rest = rest.replace(&format!("${n}"), &format!("@{}", size * self.columns + n));
                }
                format!("WITH j({}) AS (VALUES {list}) {}", names.join(","), rest.replace('@', "$"))
            })
        });
        let at = SIZES.iter().position(|size| *size >= rows).unwrap_or(SIZES.len() - 1);
        (&texts[at], SIZES[at])
    }
}
