//go:build unix

package estest

import (
	"strings"
	"testing"
)

func TestPairRefusesUsers(t *testing.T) {
	_, err := startPair(t.Context(), Options{Users: []User{{Name: "a"}}}.withDefaults())
	if err == nil || !strings.Contains(err.Error(), "certificates") {
		t.Errorf("got %v, want an error that says why", err)
	}
}
