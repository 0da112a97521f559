// Package chaos breaks things under a running Provost and checks what must survive: kill -9 under load, a full
// disk, a database that is gone, a second node, an orderly stop. Its tests need the build tag chaos (make chaos):
// they run the real binary on both stores, take minutes, and want root for small file systems of their own.
//
// Every write is either acknowledged, and then it is found afterwards, or it is not, and then all of it is found
// or nothing; and the change log tells exactly what the resources show.
package chaos
