package estest

// Versions are the servers that the program is tested on, oldest first: the ends of what is
// supported, and where answers changed between. 9.2.4 is the newest 9.x that Maven Central had of
// the test distribution on 2026-11-28.
func Versions() []string {
	return []string{"7.17.29", "8.0.1", "8.11.4", "8.15.5", DefaultVersion, "9.2.4"}
}

// OtherVersions are those that `make test` runs a short part of its tests on beside DefaultVersion:
// the oldest, the last one whose answers differ, and the newest.
func OtherVersions() []string {
	return []string{"7.17.29", "8.15.5", "9.2.4"}
}
