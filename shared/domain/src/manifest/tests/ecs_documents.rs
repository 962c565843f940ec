//! YAML in ECS's shape becomes the JSON that a person means.

use serde_json::json;

use super::fixture::{only, service};

#[test]
fn numbers_stay_numbers_and_texts_stay_texts() {
    let manifest = only(&service(
        "cpu: 256
memory: \"512\"
unknownToUs: {deep: [yes, 0123, 1.10, 1e3, 0.5, -7, null, ~, 2026-11-22, true, \"true\"]}
containerDefinitions:
  - name: ${CONTAINER_NAME}
    image: ${DOCKER_IMAGE_NAME}
    cpu: 128
    essential: true
    portMappings: [{containerPort: 8080}]
    environment:
      - {name: VERSION, value: 1.10}
      - {name: DEBUG, value: true}
      - {name: PORT, value: 8080}
      - {name: EMPTY, value: \"\"}
    dockerLabels: {build: 17}
    logConfiguration: {logDriver: awslogs, options: {awslogs-create-group: true}}",
    ));
    let expected = json!({
        "cpu": "256",
        "memory": "512",
        "unknownToUs": {"deep": ["yes", "0123", "1.10", "1e3", 0.5, -7, null, null, "2026-11-22", true, "true"]},
        "containerDefinitions": [{
            "name": "${CONTAINER_NAME}",
            "image": "${DOCKER_IMAGE_NAME}",
            "cpu": 128,
            "essential": true,
            "portMappings": [{"containerPort": 8080}],
            "environment": [
                {"name": "VERSION", "value": "1.10"},
                {"name": "DEBUG", "value": "true"},
                {"name": "PORT", "value": "8080"},
                {"name": "EMPTY", "value": ""},
            ],
            "dockerLabels": {"build": "17"},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-create-group": "true"}},
        }],
    });
    assert_eq!(manifest.service().expect("a service").task_definition.value, expected);
}

#[test]
fn json_in_a_text_is_taken_as_it_is() {
    let json =
        r#"{"cpu": 256, "containerDefinitions": [{"name": "a\t", "image": "${DOCKER_IMAGE_NAME}", "x": 1.10, "y": "yes"}]}"#;
    let manifest = only(&service(json).replace("taskDefinition:", "taskDefinition: |"));
    let value = &manifest.service().expect("a service").task_definition.value;
    assert_eq!(*value, serde_json::from_str::<serde_json::Value>(json).expect("JSON"));
}

#[test]
fn values_are_found_at_their_places_in_yaml_and_json() {
    let yaml = only(&service("containerDefinitions:\n  - name: a\n    image: ${artifact.image}"));
    let document = &yaml.service().expect("a service").task_definition;
    let place = document.place_of(&yaml.source, "/containerDefinitions/0/image");
    assert_eq!(
        (place.field.as_str(), place.at.line, place.at.column),
        ("spec.taskDefinition.containerDefinitions[0].image", 9, 16)
    );
    // What is not there is where it would be.
    let place = document.place_of(&yaml.source, "/containerDefinitions/0/memory");
    assert_eq!((place.at.line, place.at.column), (8, 9));

    let text = service("{\"containerDefinitions\": [\n  {\"name\": \"a\",\n   \"image\": \"${artifact.image}\"}\n]}");
    let json = only(&text.replace("taskDefinition:", "taskDefinition: |"));
    let document = &json.service().expect("a service").task_definition;
    let place = document.place_of(&json.source, "/containerDefinitions/0/image");
    assert_eq!((place.at.line, place.at.column), (9, 17));
}
