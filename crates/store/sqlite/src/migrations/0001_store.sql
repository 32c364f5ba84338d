-- Both stores. A migration that was released is never changed: its checksum is kept in every file.

-- A rowid table: clustered by its 35-byte key it would be half as fast and three times as large.
create table record (
    key blob not null primary key,
    alias blob,
    parent blob,
    account blob,
    client blob,
    session blob,
    expires_at integer not null,
    due_at integer,
    consumed_at integer,
    revision integer not null,
    -- When the sweep looks at it: at its end, or at an earlier end that it had before its life was prolonged.
    -- So a longer life changes no index.
    sweep_at integer not null,
    -- Whether it is to live for long, so that the sweep has to find it when its parent is gone.
    lingers integer not null,
    body blob not null
) strict;

-- Each index that a record is in costs nearly every record a page of the write-ahead log.

create unique index record_alias on record (alias) where alias is not null;
create index record_lingers on record (parent) where lingers;
create index record_account on record (account, key) where account is not null;
create index record_client on record (client, key) where client is not null;
create index record_session on record (session, key) where session is not null;
create index record_due on record (due_at) where due_at is not null;
create index record_sweep_at on record (sweep_at);

-- Keys that are gone while records hang on them: what the sweep has to look at. May also name others, which does no harm.
create table dead_parent (key blob not null primary key) strict, without rowid;

create trigger record_leaves_children after delete on record
when exists (select 1 from record where parent = old.key and lingers)
begin
    insert or ignore into dead_parent values (old.key);
end;

create table document (
    realm text not null,
    kind integer not null,
    id text not null,
    body blob not null,
    revision integer not null,
    unique (realm, kind, id)
) strict;

create table document_alias (
    realm text not null,
    kind integer not null,
    alias text not null,
    id text not null,
    position integer not null,
    primary key (realm, kind, alias)
) strict, without rowid;

create index document_alias_holder on document_alias (realm, kind, id, position);

-- The last writes to documents of all realms, by number and without gaps: what of that which nodes keep holds no more.
-- Each document has the number of the write that made it.
create table document_change (
    revision integer not null primary key,
    realm text not null,
    kind integer not null,
    id text not null
) strict;

-- One row for each server that works on the file. One that nobody removed belonged to a server that did not end in order.
create table running (id integer primary key) strict;

-- What was written to see whether anything can be.
create table probe (id integer primary key, body blob not null) strict;
