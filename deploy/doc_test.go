// Package deploy_test checks what this folder ships as far as that goes without a cluster of
// Kubernetes, a Docker engine or a Grafana: that each file says what its reader takes, that esrule
// takes the arguments and variables in it, that the alert rules fire when they should, and that
// every metric that is named is exported.
package deploy_test
