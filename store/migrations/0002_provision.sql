-- The sending side. Every key starts with the channel, which nothing crosses. Keys of objects are those of the
-- source and unique in it across both kinds. Times are microseconds since 1970.

create table source (
	name     {{.Key}} not null primary key,
	spec     text not null,
	created  bigint not null,
	modified bigint not null,
	version  bigint not null
);

create table channel (
	id         {{.Serial}},
	name       {{.Key}} not null,
	source     {{.Key}} not null,
	spec       text not null,
	paused     {{.Small}} not null,
	created    bigint not null,
	modified   bigint not null,
	version    bigint not null,
	generation bigint not null default 0,
	position   text not null default '{}',
	status     text not null default '{}'
);

create unique index channel_name on channel (name);

create table lease (
	channel bigint not null primary key,
	fence   bigint not null,
	holder  text not null,
	expires bigint not null
);

-- The source as it was last read whole.
create table mirror (
	channel bigint not null,
	okey    {{.Key}} not null,
	kind    {{.Key}} not null,
	name    {{.Key}} not null,
	hash    {{.Key}} not null,
	attrs   text not null,
	primary key (channel, okey)
);

create index mirror_name on mirror (channel, name);

-- mkey is '' while nothing of that name was read.
create table mirror_member (
	channel bigint not null,
	gkey    {{.Key}} not null,
	name    {{.Key}} not null,
	mkey    {{.Key}} not null,
	primary key (channel, gkey, name)
){{.NoRowID}};

create index mirror_member_mkey on mirror_member (channel, mkey, gkey);
create index mirror_member_name on mirror_member (channel, name);

-- What a read that is not sealed yet has handed over.
create table staged (
	channel bigint not null,
	okey    {{.Key}} not null,
	kind    {{.Key}} not null,
	name    {{.Key}} not null,
	hash    {{.Key}} not null,
	attrs   text not null,
	primary key (channel, okey)
);

create table staged_member (
	channel bigint not null,
	gkey    {{.Key}} not null,
	name    {{.Key}} not null,
	primary key (channel, gkey, name)
){{.NoRowID}};

-- What the target has not been told yet, and when it is tried again.
create table dirty (
	channel  bigint not null,
	kind     {{.Key}} not null,
	okey     {{.Key}} not null,
	reason   text not null,
	since    bigint not null,
	attempts {{.Int}} not null default 0,
	retry    bigint not null default 0,
	problem  text not null default '',
	primary key (channel, kind, okey)
);

-- The ledger: what the channel owns at the target.
create table link (
	channel    bigint not null,
	okey       {{.Key}} not null,
	kind       {{.Key}} not null,
	target     {{.Key}} not null,
	state      text not null,
	provenance text not null,
	doc        text not null,
	since      bigint not null,
	changed    bigint not null,
	expires    bigint not null,
	version    bigint not null,
	primary key (channel, okey)
);

create unique index link_target on link (channel, kind, target);
create index link_expires on link (channel, expires) where expires > 0;

create table link_member (
	channel bigint not null,
	gkey    {{.Key}} not null,
	mkey    {{.Key}} not null,
	primary key (channel, gkey, mkey)
){{.NoRowID}};

create index link_member_mkey on link_member (channel, mkey, gkey);

-- Who refers to whom by an attribute such as manager: when rkey gets a link, okey is looked at again.
create table reference (
	channel bigint not null,
	okey    {{.Key}} not null,
	path    {{.Key}} not null,
	rkey    {{.Key}} not null,
	primary key (channel, okey, path)
){{.NoRowID}};

create index reference_rkey on reference (channel, rkey);

-- Requests that were decided and whose outcome is not known yet.
create table journal (
	channel bigint not null,
	okey    {{.Key}} not null,
	kind    {{.Key}} not null,
	part    {{.Key}} not null,
	verb    text not null,
	target  text not null,
	doc     text not null,
	looked  {{.Small}} not null,
	fence   bigint not null,
	at      bigint not null,
	primary key (channel, okey, part)
);

-- Removals that wait for a person, and what the person said.
create table held (
	channel bigint not null,
	okey    {{.Key}} not null,
	verb    {{.Key}} not null,
	kind    {{.Key}} not null,
	title   text not null,
	reason  text not null,
	rule    text not null,
	members text not null,
	state   text not null,
	since   bigint not null,
	decided bigint not null,
	by_whom text not null,
	primary key (channel, okey, verb)
);

-- Removals that were carried out without being asked about, for the guard's rolling day.
create table removal (
	channel     bigint not null,
	at          bigint not null,
	objects     bigint not null,
	memberships bigint not null,
	primary key (channel, at)
);

create table provisioning_log (
	channel bigint not null,
	seq     bigint not null,
	at      bigint not null,
	cycle   bigint not null,
	okey    {{.Key}} not null,
	target  {{.Key}} not null,
	action  {{.Key}} not null,
	status  {{.Key}} not null,
	entry   text not null,
	primary key (channel, seq)
);

create index provisioning_log_object on provisioning_log (channel, okey, seq);
