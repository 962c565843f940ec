//! The words and places of findings: they are what a person works with.

use super::fixture::{SETUP, service, workflow, wrong};

fn is(text: &str, expected: &str) {
    assert_eq!(wrong(text), expected.trim_matches('\n'), "of\n{text}");
}

#[test]
fn the_envelope() {
    is("", "");
    is("just text", "f.yaml:1:1: expected a mapping, found text (a document is a mapping of kind, name, application and spec)");
    is("name: x\n", "f.yaml:1:1: \"kind\" is missing (known: Application, Environment, Service, Infrastructure, Workflow)");
    is("kind: Workflw\n", "f.yaml:1:7 kind: \"Workflw\" is not a kind of document (did you mean Workflow?)");
    is(
        "kind: Environment\nname: Prod Env\nspec:\n  type: prod\n",
        "
f.yaml:1:1 application: \"application\" is missing
f.yaml:2:7 name: \"Prod Env\" is not a name: lower-case letters, digits and \"-\", at most 63 (prod-env would do)
f.yaml:4:9 spec.type: \"prod\" is not a type of environment (known: production, nonProduction)
",
    );
    is("kind: Application\nname: shop\nextra: 1\n", "f.yaml:3:1 extra: unknown field \"extra\" (known: kind, name, spec)");
}

#[test]
fn every_document_of_a_file_is_read_whatever_is_wrong_with_the_others() {
    is(
        "kind: Application\nname: a b\n---\n[\n---\nkind: Pod\n---\nkind: Environment\nname: e\napplication: a\n",
        "
f.yaml:2:7 name: \"a b\" is not a name: lower-case letters, digits and \"-\", at most 63 (a-b would do)
f.yaml:4:1: not YAML: unclosed bracket '[' (a text with \": \", \" #\" or a leading [ { * & ! % @ ` needs quotes)
f.yaml:6:7 kind: \"Pod\" is not a kind of document (known: Application, Environment, Service, Infrastructure, Workflow)
f.yaml:8:1 spec: \"spec\" is missing
",
    );
}

#[test]
fn what_is_not_yaml() {
    is("kind: Service\nkind: Service\n", "f.yaml:2:1: \"kind\" is there twice (one of the two would be lost)");
    is("kind: *x\n", "f.yaml:1:7: an alias of an anchor that does not exist (quote a text that begins with *)");
}

#[test]
fn an_infrastructure_with_many_mistakes() {
    is(
        "kind: Infrastructure
name: prod-ecs
application: shop
spec:
  region: Ireland
  launchType: FARGAT
  subnets: subnet-1
  assignPublicIp: yes
  assumeRole:
    arn: deployer
    external: x
",
        "
f.yaml:4:1 spec.cluster: \"cluster\" is missing
f.yaml:5:11 spec.region: \"Ireland\" is not an AWS region (as eu-west-1)
f.yaml:6:15 spec.launchType: \"FARGAT\" is not a launch type (did you mean FARGATE?)
f.yaml:7:12 spec.subnets: expected a list, found text
f.yaml:8:19 spec.assignPublicIp: \"yes\" is neither true nor false
f.yaml:10:10 spec.assumeRole.arn: \"deployer\" is not the ARN of a role (as arn:aws:iam::123456789012:role/deployer)
f.yaml:11:5 spec.assumeRole.external: unknown field \"external\" (did you mean externalId?)
",
    );
}

#[test]
fn a_workflow_of_an_unknown_type() {
    let text = workflow(SETUP).replace("blueGreen\n", "canary\n").replace("switch: loadBalancer", "switch: dsn");
    is(
        &text,
        "
f.yaml:5:9 spec.type: \"canary\" is not a type of workflow that can be run (known: blueGreen)
f.yaml:6:11 spec.switch: \"dsn\" is not a switch that can be used (did you mean dns?)
",
    );
}

#[test]
fn a_misspelt_field_is_told_once() {
    is(
        &workflow(&SETUP.replace("prodListener", "prodListenr")),
        "f.yaml:15:13 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.prodListenr: unknown field \"prodListenr\" (did you mean \
         prodListener?)",
    );
}

#[test]
fn steps_that_do_not_say_one_thing() {
    is(
        &workflow("- name: A\n- upgradeContainer: {}\n- note: a\n  wait: 5s\n- {}"),
        "
f.yaml:13:11 spec.phases[0].steps[0]: the step does not say what it does (known: blueGreenLoadBalancerSetup, blueGreenRoute53Setup, \
upgradeContainers, shiftTraffic, swapTargetGroups, changeRoute53Weights, httpCheck, note, wait, approval, prometheusCheck, \
cloudWatchAlarms, shellScript, notify)
f.yaml:14:11 spec.phases[0].steps[1].upgradeContainer: unknown field \"upgradeContainer\" (did you mean upgradeContainers?)
f.yaml:16:11 spec.phases[0].steps[2].wait: one step says several things to do: note, wait (begin a new list entry (-) for each)
f.yaml:17:11 spec.phases[0].steps[3]: the step does not say what it does (known: blueGreenLoadBalancerSetup, blueGreenRoute53Setup, \
upgradeContainers, shiftTraffic, swapTargetGroups, changeRoute53Weights, httpCheck, note, wait, approval, prometheusCheck, \
cloudWatchAlarms, shellScript, notify)
",
    );
}

#[test]
fn the_fields_of_a_setup() {
    let setup = "- blueGreenLoadBalancerSetup:
    desiredCount: {fixed: many}
    loadBalancer: docs-example
    prodListener: main
    stageListener: 8080
    targetPort: 8080
    steadyStateTimeout: 0
- blueGreenLoadBalancerSetup:
    desiredCount: {fixed: 1, sameAsRunning: {max: 2}}
    loadBalancer: [a]
    prodListener: 80
    stageListener: 80
    targetContainer: web
  timeout: 10
";
    is(
        &workflow(setup),
        "
f.yaml:14:35 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.desiredCount.fixed: \"many\" is not a whole number from 0 to 10000
f.yaml:16:27 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.prodListener: \"main\" is not a listener (its port (80), or its ARN \
(arn:aws:elasticloadbalancing:...:listener/...))
f.yaml:18:25 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.targetPort: \"targetContainer\" is missing: as an ECS requirement the \
target container cannot be empty if the target port is defined (give both, or neither: then the container is found by the target \
group's port)
f.yaml:19:33 spec.phases[0].steps[0].blueGreenLoadBalancerSetup.steadyStateTimeout: \"0\" is not a number of minutes from 1 to 10000
f.yaml:21:38 spec.phases[0].steps[1].blueGreenLoadBalancerSetup.desiredCount.sameAsRunning: \"fixed\" and \"sameAsRunning\" exclude \
each other
f.yaml:22:27 spec.phases[0].steps[1].blueGreenLoadBalancerSetup.loadBalancer: expected text, found a list
f.yaml:24:28 spec.phases[0].steps[1].blueGreenLoadBalancerSetup.stageListener: prod and stage listener are the same: 80 (blue/green \
needs two listeners, or two rules, each with a target group of its own)
f.yaml:25:30 spec.phases[0].steps[1].blueGreenLoadBalancerSetup.targetContainer: \"targetPort\" is missing: the target container \
alone does not say which of its ports the load balancer talks to (give both, or neither: then the container is found by the target \
group's port)
f.yaml:26:20 spec.phases[0].steps[1].timeout: \"10\" is not a length of time (write the unit: 10s, 10m)
",
    );
}

#[test]
fn the_fields_of_a_check() {
    let check = "- httpCheck:
    status: [200, ok, 99]
    interval: 1
    headers: {\"a b\": x}
- httpCheck:
    stage: healthz
    production: /
- httpCheck:
    url: ${steps.Note.url}
    retries: 3
";
    is(
        &workflow(check),
        "
f.yaml:13:11 spec.phases[0].steps[0].httpCheck: what to ask is missing (stage: /path, production: /path or url: http://...)
f.yaml:14:27 spec.phases[0].steps[0].httpCheck.status[1]: \"ok\" is not an HTTP status: a number from 100 to 599
f.yaml:14:31 spec.phases[0].steps[0].httpCheck.status[2]: \"99\" is not an HTTP status: a number from 100 to 599
f.yaml:15:23 spec.phases[0].steps[0].httpCheck.interval: \"1\" is not a length of time (write the unit: 1s, 1m)
f.yaml:16:23 spec.phases[0].steps[0].httpCheck.headers.a b: \"a b\" is not the name of a header
f.yaml:19:13 spec.phases[0].steps[1].httpCheck.production: one check asks one thing (one of stage: /path, production: /path or url: \
http://...)
f.yaml:22:13 spec.phases[0].steps[2].httpCheck.retries: unknown field \"retries\" (known: stage, production, url, status, \
bodyContains, headers, maxLatency, consecutive, interval, within)
",
    );
}

#[test]
fn retries_and_variables() {
    let text =
        workflow("- note: a\n  retry: {count: 1, intervals: [1s, 2s]}\n- note: b\n  retry: {count: 51}\n- note: c\n  name: a.b")
            .replace("  phases:", "  variables:\n    1st: a\n    Empty:\n    Both: {default: 1, required: true}\n  phases:");
    is(
        &text,
        "
f.yaml:11:5 spec.variables.1st: \"1st\" is not a name of a variable: letters, digits, \"_\" and \"-\", beginning with a letter or \"_\"
f.yaml:12:5 spec.variables.Empty: variable Empty has neither a default nor a description (write a default (\"\" for none), or \
{required: true})
f.yaml:13:34 spec.variables.Both.required: variable Both is required, so its default is never used (leave one of the two away)
f.yaml:18:26 spec.phases[0].steps[0].retry.count: 1 retries but 2 intervals: the last ones are never used
f.yaml:20:18 spec.phases[0].steps[1].retry: 51 retries; at most 50 are made
f.yaml:22:17 spec.phases[0].steps[2].name: \"a.b\" can't be a title: letters, digits, spaces, \"_\", \"-\", \"/\" and parentheses, \
at most 80
",
    );
}

#[test]
fn the_least_of_a_task_definition() {
    is(
        &service("containerDefinitions: []"),
        "f.yaml:7:27 spec.taskDefinition.containerDefinitions: \"containerDefinitions\" has to be a list of at least one container, \
         found an empty list",
    );
    is(
        &service("containerDefinitions:\n  - image: nginx\n  - name: a\n  - name: a\n    image: x\n  - web"),
        "
f.yaml:8:9 spec.taskDefinition.containerDefinitions[0].name: a container has to have a name, found nothing (${CONTAINER_NAME} is the \
image's name as a container name)
f.yaml:9:9 spec.taskDefinition.containerDefinitions[1].image: a container has to have an image, found nothing (${DOCKER_IMAGE_NAME} \
is the image that is deployed)
f.yaml:10:15 spec.taskDefinition.containerDefinitions[2].name: two containers are named \"a\"
f.yaml:12:9 spec.taskDefinition.containerDefinitions[3]: a container has to be a mapping, found \"web\"
",
    );
    is(
        &service("containerDefinitions:\n  - name: a\n    image: nginx:1"),
        "f.yaml:8:7 spec.taskDefinition.containerDefinitions: no container runs the image that is deployed (write image: \
         ${DOCKER_IMAGE_NAME} for the one that does)",
    );
}

#[test]
fn json_in_a_text_is_told_where_it_is_wrong() {
    let json = "{\n  \"containerDefinitions\": [\n    {\"name\": \"a\",, \"image\": \"x\"}\n  ]\n}";
    let text = service(json).replace("taskDefinition:", "taskDefinition: |");
    is(&text, "f.yaml:9:22 spec.taskDefinition: not JSON: key must be a string");
    let text = service("{\n  \"containerDefinitions\": [").replace("taskDefinition:", "taskDefinition: |");
    is(&text, "f.yaml:8:31 spec.taskDefinition: not JSON: EOF while parsing a list");
    let text = service("[1]").replace("taskDefinition:", "taskDefinition: |");
    is(&text, "f.yaml:7:5 spec.taskDefinition: the JSON is not an object: it has to begin with {");
    let json = "{\"containerDefinitions\": [\n  {\"name\": \"a\", \"image\": \"x\"},\n  {\"name\": 5, \"image\": \"${artifact.image}\"}\n]}";
    let text = service(json).replace("taskDefinition:", "taskDefinition: |");
    is(
        &text,
        "f.yaml:9:16 spec.taskDefinition.containerDefinitions[1].name: a container has to have a name, found 5 (${CONTAINER_NAME} is \
         the image's name as a container name)",
    );
}

#[test]
fn images_have_no_tag_of_their_own() {
    let with = |image: &str| {
        wrong(
            &service("containerDefinitions:\n  - {name: a, image: \"${artifact.image}\"}")
                .replace("harness/todolist-sample", image),
        )
    };
    for right in ["a/b", "a/b:${artifact.tag}", "${workflow.variables.Registry}/b", "host:5000/${app.name}:${artifact.tag}"] {
        assert_eq!(with(right), "", "{right}");
    }
    for (image, said) in
        [("a/b:4", "the fixed tag \"4\""), ("${app.name}/b:4", "the fixed tag \"4\""), ("a@sha256:0", "names a digest")]
    {
        let found = with(image);
        assert!(found.starts_with("f.yaml:5:10 spec.image: ") && found.contains(said), "{image}: {found}");
    }
}
