// Command provost is an open provisioning platform: a SCIM 2.0 service provider, and the tools around it.
package main

import "os"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
