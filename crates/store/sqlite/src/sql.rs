//! All statements on records. `?1` is the caller's `now` wherever it matters whether a record is live.

/// The one definition of a live record: it is stored and not expired, and so are its parent and grandparent,
/// if any.
pub(crate) const LIVE: &str = "r.expires_at > ?1 and (r.parent is null or exists (
    select 1 from record p where p.key = r.parent and p.expires_at > ?1 and (p.parent is null or exists (
        select 1 from record g where g.key = p.parent and g.expires_at > ?1 and g.parent is null))))";

/// The columns in the order in which `records::stored` reads them.
const COLUMNS: &str =
    "key, alias, parent, account, client, session, expires_at, due_at, body, revision, consumed_at";

/// The first revision of a record: 63 random bits, so that a key that is used again does not repeat a
/// revision.
const BORN: &str = "random() & 9223372036854775807";
const NEXT: &str = "(revision + 1) & 9223372036854775807";

pub(crate) struct Sql {
    /// Takes the write lock at once, so that nothing changes between the reads and the writes of a step.
    pub(crate) begin: String,
    /// `?10` is whether it lingers.
    pub(crate) insert: String,
    /// Notes a missing parent. Not by a trigger, for which SQLite would prepare to undo each insertion.
    pub(crate) orphaned: String,
    pub(crate) remove_dead: String,
    pub(crate) get: String,
    pub(crate) get_by_alias: String,
    pub(crate) state: String,
    pub(crate) change: String,
    pub(crate) consume: String,
    pub(crate) remove: String,
    pub(crate) remove_tagged: String,
    pub(crate) list_tagged: String,
    pub(crate) count_live: String,
    pub(crate) lease: String,
    pub(crate) sweep_sooner: String,
    pub(crate) prolonged: String,
    pub(crate) sweep_expired: String,
    pub(crate) dead_parent: String,
    pub(crate) sweep_children: String,
    pub(crate) forget_parent: String,
}

impl Sql {
    pub(crate) fn new() -> Self {
        Self::with_life(LIVE)
    }

    pub(crate) fn with_life(live: &str) -> Self {
        // There is one branch for each column that may hold the tag; each walks its index in the order of the
        // keys.
        let tagged = |condition: &str| {
            ["account", "client", "session"]
                .map(|column| {
                    format!(
                        "select r.key from record r where r.{column} = ?2 and r.key > ?3 and r.key <= ?4{condition}"
                    )
                })
                .join(" union ")
        };
        Self {
            begin: "begin immediate".into(),
            insert: format!(
                "insert into record ({COLUMNS}, sweep_at, lingers)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, {BORN}, null, ?7, ?10)"
            ),
            orphaned: "insert or ignore into dead_parent
                 select ?1 where not exists (select 1 from record where key = ?1)"
                .into(),
            remove_dead: format!("delete from record as r where (r.key = ?2 or r.alias = ?3) and not ({live})"),
            get: format!("select {COLUMNS} from record r where r.key = ?2 and {live}"),
            get_by_alias: format!("select {COLUMNS} from record r where r.alias = ?2 and {live}"),
            state: format!("select r.revision, r.consumed_at, r.sweep_at from record r where r.key = ?2 and {live}"),
            change: format!(
                "update record set body = ?2, expires_at = ?3, due_at = ?4, revision = {NEXT} where key = ?1
                 returning revision"
            ),
            consume: format!("update record set consumed_at = ?2, revision = {NEXT} where key = ?1"),
            remove: "delete from record where key = ?1".into(),
            remove_tagged: format!("delete from record where key in ({})", tagged("")),
            list_tagged: format!(
                "select {COLUMNS} from record where key in ({} order by key limit ?5) order by key",
                tagged(&format!(" and {live}"))
            ),
            count_live: format!(
                "select substr(r.key, 1, 1) as kind, count(*) from record r where {live} group by kind order by kind"
            ),
            // The `+` in `+r.key` keeps SQLite from using the index on the key: the one on `due_at` is faster
            // here.
            lease: format!(
                "update record set due_at = ?5, revision = {NEXT} where key in (
                     select r.key from record r where r.due_at <= ?1 and +r.key >= ?2 and +r.key <= ?3 and {live}
                     order by r.due_at limit ?4)
                 returning {COLUMNS}"
            ),
            sweep_sooner: "update record set sweep_at = expires_at where key = ?1".into(),
            prolonged: "update record set sweep_at = expires_at where rowid in (
                 select rowid from record where sweep_at <= ?1 and expires_at > ?1)"
                .into(),
            sweep_expired: "delete from record where rowid in (
                 select rowid from record where sweep_at <= ?1 and expires_at <= ?1 limit ?2)"
                .into(),
            dead_parent: "select key from dead_parent limit 1".into(),
            sweep_children: "delete from record where rowid in (
                 select rowid from record where parent = ?1 and lingers and ?1 not in (select key from record) limit ?2)"
                .into(),
            forget_parent: "delete from dead_parent where key = ?1".into(),
        }
    }
}
