-- Every key starts with the tenant, so that the same schema can be distributed by tenant. Text keys compare by
-- byte in both engines. Times are integers: milliseconds since 1970 for resources, microseconds elsewhere.

create table resource (
	tenant   bigint not null,
	rtype    {{.Key}} not null,
	id       {{.Key}} not null,
	uniq     {{.Key}},
	display  text not null,
	active   {{.Small}} not null,
	external text,
	created  bigint not null,
	modified bigint not null,
	version  bigint not null,
	doc      text not null,
	primary key (tenant, rtype, id)
){{if .Postgres}} with (fillfactor = 80){{end}}; -- room for the next version on the same page: no index changes then

-- Partial, although NULLs never collide: PostgreSQL then lets a rename and the foreign keys of members pass
-- each other.
create unique index resource_uniq on resource (tenant, rtype, uniq) where uniq is not null;

create table attr (
	tenant bigint not null,
	rtype  {{.Key}} not null,
	path   {{.Key}} not null,
	val    {{.Key}} not null,
	id     {{.Key}} not null,
	elem   {{.Int}} not null,
	typ    {{.Key}} not null,
	primary key (tenant, rtype, path, val, id, elem)
){{.NoRowID}};

-- Begins with the id: one that begins with the tenant looks no better to a planner without statistics than the
-- primary key, which then is read for the whole tenant.
create index attr_id on attr (id, tenant);

create table member (
	tenant bigint not null,
	gid    {{.Key}} not null,
	mid    {{.Key}} not null,
	gtype  {{.Key}} not null default 'Group',
	mtype  {{.Key}} not null,
	primary key (tenant, gid, mid),
	constraint member_group foreign key (tenant, gtype, gid) references resource (tenant, rtype, id),
	constraint member_member foreign key (tenant, mtype, mid) references resource (tenant, rtype, id)
){{.NoRowID}};

create index member_mid on member (tenant, mid, gid);

-- The number of resources of a type is the sum of its slots.
create table counter (
	tenant bigint not null,
	rtype  {{.Key}} not null,
	slot   {{.Int}} not null,
	n      bigint not null,
	primary key (tenant, rtype, slot)
){{.NoRowID}};

create table change (
	tenant     bigint not null,
	seq        bigint not null,
	at         bigint not null,
	actor_kind text not null,
	actor_id   text not null,
	actor_name text not null,
	request    text not null,
	action     text not null,
	rtype      {{.Key}} not null,
	rid        {{.Key}} not null,
	name       text not null,
	version    bigint not null,
	diff       text,
	primary key (tenant, seq)
);

create index change_rid on change (tenant, rid, seq);

create table trash (
	tenant   bigint not null,
	rtype    {{.Key}} not null,
	id       {{.Key}} not null,
	uniq     {{.Key}},
	display  text not null,
	active   {{.Small}} not null,
	external text,
	created  bigint not null,
	modified bigint not null,
	version  bigint not null,
	doc      text not null,
	attrs    text not null,
	members  text not null,
	deleted  bigint not null,
	purge    bigint not null,
	primary key (tenant, rtype, id)
);

create index trash_deleted on trash (tenant, rtype, deleted);

create table tenant (
	id       {{.Serial}},
	name     {{.Key}} not null,
	display  text not null,
	created  bigint not null,
	disabled {{.Small}} not null,
	settings text not null
);

create unique index tenant_name on tenant (name);

create table client (
	tenant     bigint not null,
	id         {{.Key}} not null,
	name       {{.Key}} not null,
	profile    text not null,
	me         text not null,
	rate       double precision not null,
	burst      {{.Int}} not null,
	concurrent {{.Int}} not null,
	created    bigint not null,
	created_by text not null,
	revoked    bigint not null,
	primary key (tenant, id)
);

create unique index client_name on client (tenant, name);

-- A token is found by its id before its tenant is known.
create table token (
	id         {{.Key}} not null primary key,
	tenant     bigint not null,
	client     {{.Key}} not null,
	kind       text not null,
	hash       {{.Bytes}} not null,
	hint       text not null,
	created    bigint not null,
	created_by text not null,
	expires    bigint not null,
	revoked    bigint not null,
	last_used  bigint not null,
	last_addr  text not null,
	last_agent text not null
);

create index token_client on token (tenant, client, created);
create index token_expires on token (expires) where kind = 'issued';

create table account (
	id         {{.Key}} not null primary key,
	tenant     bigint not null,
	service    {{.Small}} not null,
	name       {{.Key}} not null,
	role       text not null,
	created    bigint not null,
	created_by text not null,
	expires    bigint not null,
	disabled   {{.Small}} not null,
	hash       {{.Bytes}},
	last_used  bigint not null
);

create unique index account_name on account (service, name);

create table request (
	tenant   bigint not null,
	at       bigint not null,
	id       {{.Key}} not null,
	client   {{.Key}} not null,
	resource {{.Key}} not null,
	status   {{.Int}} not null,
	entry    text not null,
	primary key (tenant, at, id)
);

create index request_resource on request (tenant, resource, at) where resource <> '';

create table schema_version (
	tenant     bigint not null,
	version    bigint not null,
	at         bigint not null,
	definition text not null,
	primary key (tenant, version)
);

create table secret (
	name  {{.Key}} not null primary key,
	value {{.Bytes}} not null
);

-- Tenants whose rows are still being removed.
create table gone (
	tenant bigint not null primary key
);
{{if .Postgres}}
-- Added to a transaction's id to make sequence numbers: grows when data is brought in from elsewhere.
create table clock (
	one  boolean not null primary key default true check (one),
	base bigint not null
);

insert into clock (base) values (0);
{{end}}
