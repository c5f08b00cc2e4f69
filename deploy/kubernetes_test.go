package deploy_test

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// The part of Kubernetes's types that the manifests use. They are decoded strictly: a field that is
// misspelt, or in the wrong place, is in none of these.
type (
	metadata struct {
		Name                string
		Labels, Annotations map[string]string
	}
	secretManifest struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   metadata
		Type       string
		StringData map[string]string `yaml:"stringData"`
	}
	cronJob struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   metadata
		Spec       struct {
			Schedule                   string
			ConcurrencyPolicy          string `yaml:"concurrencyPolicy"`
			StartingDeadlineSeconds    int    `yaml:"startingDeadlineSeconds"`
			SuccessfulJobsHistoryLimit int    `yaml:"successfulJobsHistoryLimit"`
			FailedJobsHistoryLimit     int    `yaml:"failedJobsHistoryLimit"`
			JobTemplate                struct {
				Metadata metadata
				Spec     struct {
					BackoffLimit          *int `yaml:"backoffLimit"`
					ActiveDeadlineSeconds int  `yaml:"activeDeadlineSeconds"`
					Template              podTemplate
				}
			} `yaml:"jobTemplate"`
		}
	}
	deployment struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   metadata
		Spec       struct {
			Replicas int
			Selector struct {
				MatchLabels map[string]string `yaml:"matchLabels"`
			}
			Template podTemplate
		}
	}
	serviceManifest struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Metadata   metadata
		Spec       struct {
			PublishNotReadyAddresses bool `yaml:"publishNotReadyAddresses"`
			Selector                 map[string]string
			Ports                    []struct {
				Name       string
				Port       int
				TargetPort string `yaml:"targetPort"`
			}
		}
	}
	podTemplate struct {
		Metadata metadata
		Spec     podSpec
	}
	podSpec struct {
		RestartPolicy                 string `yaml:"restartPolicy"`
		AutomountServiceAccountToken  *bool  `yaml:"automountServiceAccountToken"`
		EnableServiceLinks            *bool  `yaml:"enableServiceLinks"`
		TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
		SecurityContext               struct {
			RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
			RunAsUser      int                   `yaml:"runAsUser"`
			RunAsGroup     int                   `yaml:"runAsGroup"`
			FSGroup        int                   `yaml:"fsGroup"`
			SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
		} `yaml:"securityContext"`
		Containers []container
		Volumes    []struct {
			Name   string
			Secret struct {
				SecretName  string `yaml:"secretName"`
				DefaultMode int    `yaml:"defaultMode"`
			}
		}
	}
	container struct {
		Name, Image     string
		ImagePullPolicy string `yaml:"imagePullPolicy"`
		Args            []string
		Env             []struct{ Name, Value string }
		Ports           []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		Liveness  *probe `yaml:"livenessProbe"`
		Readiness *probe `yaml:"readinessProbe"`
		Resources struct {
			Requests, Limits map[string]string
		}
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		VolumeMounts []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	probe struct {
		HTTPGet struct {
			Path, Port string
		} `yaml:"httpGet"`
		PeriodSeconds    int `yaml:"periodSeconds"`
		TimeoutSeconds   int `yaml:"timeoutSeconds"`
		FailureThreshold int `yaml:"failureThreshold"`
	}
)

// decode reads the documents of a file, each into its target, and no other.
func decode(t *testing.T, file string, targets ...any) {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(read(t, file)))
	d.KnownFields(true)
	for i, target := range targets {
		if err := d.Decode(target); err != nil {
			t.Fatalf("%s, document %d: %v", file, i+1, err)
		}
	}
	var more any
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		t.Fatalf("%s: holds more than %d documents: %v", file, len(targets), err)
	}
}

// podOf gives the pod of a CronJob or a Deployment.
func podOf(t *testing.T, file string) podTemplate {
	t.Helper()
	if strings.Contains(file, "cronjob") {
		var c cronJob
		decode(t, file, &c)
		return c.Spec.JobTemplate.Spec.Template
	}
	var d deployment
	var s serviceManifest
	decode(t, file, &d, &s)
	return d.Spec.Template
}

func containerOf(t *testing.T, file string) workload {
	t.Helper()
	c := podOf(t, file).Spec.Containers[0]
	w := workload{from: file, args: c.Args, env: map[string]string{}}
	for _, e := range c.Env {
		w.env[e.Name] = e.Value
	}
	return w
}

func TestCronJob(t *testing.T) {
	var c cronJob
	decode(t, "kubernetes/cronjob.yaml", &c)
	equal(t, "kind", c.APIVersion+" "+c.Kind, "batch/v1 CronJob")
	equal(t, "concurrencyPolicy", c.Spec.ConcurrencyPolicy, "Forbid")
	equal(t, "backoffLimit", *c.Spec.JobTemplate.Spec.BackoffLimit, 0)
	pod := c.Spec.JobTemplate.Spec.Template
	equal(t, "restartPolicy", pod.Spec.RestartPolicy, "Never")
	equal(t, "args", strings.Join(pod.Spec.Containers[0].Args, " "), "run --once")
	if c.Spec.JobTemplate.Spec.ActiveDeadlineSeconds == 0 {
		t.Error("a run that hangs would keep all others from their turn: no activeDeadlineSeconds")
	}
	// below 10 the controller may never start it
	if d := c.Spec.StartingDeadlineSeconds; d < 10 || d >= 300 {
		t.Errorf("startingDeadlineSeconds: got %d, want 10 to 300", d)
	}
	checkPod(t, pod)
}

func TestDeployment(t *testing.T) {
	var d deployment
	var s serviceManifest
	decode(t, "kubernetes/deployment.yaml", &d, &s)
	equal(t, "kind", d.APIVersion+" "+d.Kind, "apps/v1 Deployment")
	equal(t, "kind", s.APIVersion+" "+s.Kind, "v1 Service")
	pod := d.Spec.Template
	equal(t, "restartPolicy", pod.Spec.RestartPolicy, "") // a Deployment takes Always only
	c := pod.Spec.Containers[0]
	equal(t, "args", strings.Join(c.Args, " "), "run")
	for key, value := range d.Spec.Selector.MatchLabels {
		equal(t, "label "+key, pod.Metadata.Labels[key], value)
	}
	equal(t, "the service's selector", s.Spec.Selector, d.Spec.Selector.MatchLabels)

	w := containerOf(t, "kubernetes/deployment.yaml")
	port := strings.TrimPrefix(w.env["ESRULE_METRICS_ADDRESS"], ":")
	equal(t, "ports", len(c.Ports), 1)
	equal(t, "port", ":"+port, ":"+itoa(c.Ports[0].ContainerPort))
	equal(t, "port that is scraped", pod.Metadata.Annotations["prometheus.io/port"], port)
	equal(t, "liveness", c.Liveness.HTTPGet.Path+" "+c.Liveness.HTTPGet.Port, "/healthz "+
		c.Ports[0].Name)
	equal(t, "readiness", c.Readiness.HTTPGet.Path+" "+c.Readiness.HTTPGet.Port, "/readyz "+
		c.Ports[0].Name)
	equal(t, "port of the service", s.Spec.Ports[0].TargetPort, c.Ports[0].Name)
	checkPod(t, pod)
}

// checkPod holds a pod to the least that it needs.
func checkPod(t *testing.T, pod podTemplate) {
	t.Helper()
	no := false
	equal(t, "automountServiceAccountToken", pod.Spec.AutomountServiceAccountToken, &no)
	equal(t, "enableServiceLinks", pod.Spec.EnableServiceLinks, &no)
	context := pod.Spec.SecurityContext
	equal(t, "runAsNonRoot", context.RunAsNonRoot, true)
	equal(t, "seccompProfile", context.SeccompProfile.Type, "RuntimeDefault")
	if !strings.Contains(read(t, "../Dockerfile"), "\nUSER "+itoa(context.RunAsUser)+":"+
		itoa(context.RunAsGroup)+"\n") {
		t.Errorf("runs as user %d:%d, the image as another", context.RunAsUser, context.RunAsGroup)
	}
	equal(t, "containers", len(pod.Spec.Containers), 1)
	c := pod.Spec.Containers[0]
	equal(t, "image", c.Image, "esrule:latest")
	// a latest is pulled always otherwise
	equal(t, "imagePullPolicy", c.ImagePullPolicy, "IfNotPresent")
	equal(t, "allowPrivilegeEscalation", c.SecurityContext.AllowPrivilegeEscalation, &no)
	equal(t, "readOnlyRootFilesystem", c.SecurityContext.ReadOnlyRootFilesystem, true)
	equal(t, "capabilities", c.SecurityContext.Capabilities.Drop, []string{"ALL"})
	for _, r := range []string{c.Resources.Requests["cpu"], c.Resources.Requests["memory"],
		c.Resources.Limits["memory"]} {
		if r == "" {
			t.Errorf("resources: got %+v, want requests of cpu and memory, and a limit of memory",
				c.Resources)
		}
	}

	// The key comes from the secret of secret.yaml, at the place where the program looks.
	var s secretManifest
	decode(t, "kubernetes/secret.yaml", &s)
	equal(t, "volumes", len(pod.Spec.Volumes), 1)
	volume := pod.Spec.Volumes[0]
	equal(t, "secret", volume.Secret.SecretName, s.Metadata.Name)
	equal(t, "mount", c.VolumeMounts[0].Name, volume.Name)
	equal(t, "mount is read-only", c.VolumeMounts[0].ReadOnly, true)
	if volume.Secret.DefaultMode != 0o440 || context.FSGroup != context.RunAsGroup {
		t.Errorf("secret: mode %o, group %d: want 440 and the group of the process",
			volume.Secret.DefaultMode, context.FSGroup)
	}
	for _, e := range c.Env {
		if e.Name == "ESRULE_ELASTICSEARCH_API_KEY_FILE" {
			equal(t, "file of the key", e.Value, c.VolumeMounts[0].MountPath+"/api-key")
		}
	}
	if s.StringData["api-key"] == "" {
		t.Errorf("secret: got %v, want an api-key", s.StringData)
	}
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s (-want +got):\n%s", what, cmp.Diff(want, got))
	}
}
