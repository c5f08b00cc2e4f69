package estest

// product is a server that estest can start from its test distribution, as far as starting differs.
type product string

const (
	productElasticsearch product = "Elasticsearch"
	productOpenSearch    product = "OpenSearch"
)

// command is the name of the script in bin, of the configuration file and of the archive.
func (p product) command() string {
	switch p {
	case productElasticsearch:
		return "elasticsearch"
	case productOpenSearch:
		return "opensearch"
	}
	return ""
}

// artifact is where Maven Central has a version.
func (p product) artifact(version string) string {
	group := "org.elasticsearch.distribution.integ-test-zip"
	if p == productOpenSearch {
		group = "org.opensearch.distribution.integ-test-zip"
	}
	return group + ":" + p.command() + ":" + version + ":zip"
}

// variable is the environment variable by which the script learns of a Java or of a folder.
func (p product) variable(name string) string {
	if p == productOpenSearch {
		return "OPENSEARCH_" + name
	}
	return "ES_" + name
}

// oldestJava is the oldest release of Java that a version runs on.
func (p product) oldestJava(version string) int {
	if p == productOpenSearch {
		return 21
	}
	return oldestJava(version)
}
