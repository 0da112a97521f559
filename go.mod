module github.com/provost-scim/provost

go 1.26.8
