//! Listener actions between the SDK's types and AWS's JSON, in both directions and with every member that the SDK knows: what is
//! left out here would be lost by a swap.

use aws_sdk_elasticloadbalancingv2::types as sdk;
use serde_json::{Map, Value, json};

/// Why actions can't be written back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ActionError {
    /// The kind of an action is newer than this program.
    #[error("an action of the unknown type {0:?} could be lost by rewriting it")]
    UnknownType(String),
    /// Not a list of actions.
    #[error("the actions to write are not a list of actions")]
    Malformed,
}

/// An object of the members that are there.
struct Members(Map<String, Value>);

impl Members {
    fn new() -> Self {
        Self(Map::new())
    }

    fn with(mut self, key: &str, value: Option<impl Into<Value>>) -> Self {
        if let Some(value) = value {
            self.0.insert(key.to_owned(), value.into());
        }
        self
    }

    fn value(self) -> Value {
        Value::Object(self.0)
    }
}

pub(super) fn from_sdk(actions: &[sdk::Action]) -> Value {
    Value::Array(actions.iter().map(action).collect())
}

fn action(action: &sdk::Action) -> Value {
    Members::new()
        .with("Type", action.r#type().map(sdk::ActionTypeEnum::as_str))
        .with("Order", action.order())
        .with("TargetGroupArn", action.target_group_arn())
        .with("ForwardConfig", action.forward_config().map(forward))
        .with("AuthenticateOidcConfig", action.authenticate_oidc_config().map(oidc))
        .with("AuthenticateCognitoConfig", action.authenticate_cognito_config().map(cognito))
        .with("RedirectConfig", action.redirect_config().map(redirect))
        .with("FixedResponseConfig", action.fixed_response_config().map(fixed_response))
        .with("JwtValidationConfig", action.jwt_validation_config().map(jwt))
        .value()
}

fn forward(config: &sdk::ForwardActionConfig) -> Value {
    let groups = config.target_groups.as_ref().map(|groups| {
        let tuple = |group: &sdk::TargetGroupTuple| {
            Members::new().with("TargetGroupArn", group.target_group_arn()).with("Weight", group.weight()).value()
        };
        groups.iter().map(tuple).collect::<Vec<_>>()
    });
    let sticky = config.target_group_stickiness_config().map(|sticky| {
        Members::new().with("Enabled", sticky.enabled()).with("DurationSeconds", sticky.duration_seconds()).value()
    });
    Members::new().with("TargetGroups", groups).with("TargetGroupStickinessConfig", sticky).value()
}

fn extra_params(params: Option<&std::collections::HashMap<String, String>>) -> Option<Value> {
    params.map(|params| json!(params))
}

fn oidc(config: &sdk::AuthenticateOidcActionConfig) -> Value {
    // The client secret is left out even if AWS should give it: it would end in a checkpoint.
    Members::new()
        .with("Issuer", config.issuer())
        .with("AuthorizationEndpoint", config.authorization_endpoint())
        .with("TokenEndpoint", config.token_endpoint())
        .with("UserInfoEndpoint", config.user_info_endpoint())
        .with("ClientId", config.client_id())
        .with("SessionCookieName", config.session_cookie_name())
        .with("Scope", config.scope())
        .with("SessionTimeout", config.session_timeout())
        .with("AuthenticationRequestExtraParams", extra_params(config.authentication_request_extra_params()))
        .with("OnUnauthenticatedRequest", config.on_unauthenticated_request().map(|on| on.as_str()))
        .value()
}

fn cognito(config: &sdk::AuthenticateCognitoActionConfig) -> Value {
    Members::new()
        .with("UserPoolArn", config.user_pool_arn())
        .with("UserPoolClientId", config.user_pool_client_id())
        .with("UserPoolDomain", config.user_pool_domain())
        .with("SessionCookieName", config.session_cookie_name())
        .with("Scope", config.scope())
        .with("SessionTimeout", config.session_timeout())
        .with("AuthenticationRequestExtraParams", extra_params(config.authentication_request_extra_params()))
        .with("OnUnauthenticatedRequest", config.on_unauthenticated_request().map(|on| on.as_str()))
        .value()
}

fn redirect(config: &sdk::RedirectActionConfig) -> Value {
    Members::new()
        .with("Protocol", config.protocol())
        .with("Port", config.port())
        .with("Host", config.host())
        .with("Path", config.path())
        .with("Query", config.query())
        .with("StatusCode", config.status_code().map(|code| code.as_str()))
        .value()
}

fn fixed_response(config: &sdk::FixedResponseActionConfig) -> Value {
    Members::new()
        .with("MessageBody", config.message_body())
        .with("StatusCode", config.status_code())
        .with("ContentType", config.content_type())
        .value()
}

fn jwt(config: &sdk::JwtValidationActionConfig) -> Value {
    let claim = |claim: &sdk::JwtValidationActionAdditionalClaim| {
        Members::new()
            .with("Format", claim.format().map(|format| format.as_str()))
            .with("Name", claim.name())
            .with("Values", claim.values.clone())
            .value()
    };
    let claims = config.additional_claims.as_ref().map(|claims| claims.iter().map(claim).collect::<Vec<_>>());
    Members::new()
        .with("JwksEndpoint", config.jwks_endpoint())
        .with("Issuer", config.issuer())
        .with("AdditionalClaims", claims)
        .value()
}

pub(super) fn to_sdk(actions: &Value) -> Result<Vec<sdk::Action>, ActionError> {
    actions.as_array().ok_or(ActionError::Malformed)?.iter().map(action_to_sdk).collect()
}

fn text(value: &Value, key: &str) -> Option<String> {
    value[key].as_str().map(str::to_owned)
}

fn number(value: &Value, key: &str) -> Option<i32> {
    value[key].as_i64().and_then(|number| i32::try_from(number).ok())
}

fn object<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.get(key).filter(|member| member.is_object())
}

fn texts(value: &Value) -> Option<Vec<String>> {
    Some(value.as_array()?.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect())
}

fn action_to_sdk(action: &Value) -> Result<sdk::Action, ActionError> {
    let kind = text(action, "Type").ok_or(ActionError::Malformed)?;
    let kind = sdk::ActionTypeEnum::try_parse(&kind).map_err(|_| ActionError::UnknownType(kind))?;
    Ok(sdk::Action::builder()
        .r#type(kind)
        .set_order(number(action, "Order"))
        .set_target_group_arn(text(action, "TargetGroupArn"))
        .set_forward_config(object(action, "ForwardConfig").map(forward_to_sdk))
        .set_authenticate_oidc_config(object(action, "AuthenticateOidcConfig").map(oidc_to_sdk))
        .set_authenticate_cognito_config(object(action, "AuthenticateCognitoConfig").map(cognito_to_sdk))
        .set_redirect_config(object(action, "RedirectConfig").map(redirect_to_sdk))
        .set_fixed_response_config(object(action, "FixedResponseConfig").map(fixed_response_to_sdk))
        .set_jwt_validation_config(object(action, "JwtValidationConfig").map(jwt_to_sdk))
        .build())
}

fn forward_to_sdk(config: &Value) -> sdk::ForwardActionConfig {
    let tuple = |group: &Value| {
        sdk::TargetGroupTuple::builder()
            .set_target_group_arn(text(group, "TargetGroupArn"))
            .set_weight(number(group, "Weight"))
            .build()
    };
    let sticky = object(config, "TargetGroupStickinessConfig").map(|sticky| {
        sdk::TargetGroupStickinessConfig::builder()
            .set_enabled(sticky["Enabled"].as_bool())
            .set_duration_seconds(number(sticky, "DurationSeconds"))
            .build()
    });
    sdk::ForwardActionConfig::builder()
        .set_target_groups(config["TargetGroups"].as_array().map(|groups| groups.iter().map(tuple).collect()))
        .set_target_group_stickiness_config(sticky)
        .build()
}

fn params_to_sdk(config: &Value) -> Option<std::collections::HashMap<String, String>> {
    let params = config["AuthenticationRequestExtraParams"].as_object()?;
    Some(params.iter().filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect())
}

fn oidc_to_sdk(config: &Value) -> sdk::AuthenticateOidcActionConfig {
    sdk::AuthenticateOidcActionConfig::builder()
        .set_issuer(text(config, "Issuer"))
        .set_authorization_endpoint(text(config, "AuthorizationEndpoint"))
        .set_token_endpoint(text(config, "TokenEndpoint"))
        .set_user_info_endpoint(text(config, "UserInfoEndpoint"))
        .set_client_id(text(config, "ClientId"))
        .set_use_existing_client_secret(config["UseExistingClientSecret"].as_bool())
        .set_session_cookie_name(text(config, "SessionCookieName"))
        .set_scope(text(config, "Scope"))
        .set_session_timeout(config["SessionTimeout"].as_i64())
        .set_authentication_request_extra_params(params_to_sdk(config))
        .set_on_unauthenticated_request(text(config, "OnUnauthenticatedRequest").map(|on| on.as_str().into()))
        .build()
}

fn cognito_to_sdk(config: &Value) -> sdk::AuthenticateCognitoActionConfig {
    sdk::AuthenticateCognitoActionConfig::builder()
        .set_user_pool_arn(text(config, "UserPoolArn"))
        .set_user_pool_client_id(text(config, "UserPoolClientId"))
        .set_user_pool_domain(text(config, "UserPoolDomain"))
        .set_session_cookie_name(text(config, "SessionCookieName"))
        .set_scope(text(config, "Scope"))
        .set_session_timeout(config["SessionTimeout"].as_i64())
        .set_authentication_request_extra_params(params_to_sdk(config))
        .set_on_unauthenticated_request(text(config, "OnUnauthenticatedRequest").map(|on| on.as_str().into()))
        .build()
}

fn redirect_to_sdk(config: &Value) -> sdk::RedirectActionConfig {
    sdk::RedirectActionConfig::builder()
        .set_protocol(text(config, "Protocol"))
        .set_port(text(config, "Port"))
        .set_host(text(config, "Host"))
        .set_path(text(config, "Path"))
        .set_query(text(config, "Query"))
        .set_status_code(text(config, "StatusCode").map(|code| code.as_str().into()))
        .build()
}

fn fixed_response_to_sdk(config: &Value) -> sdk::FixedResponseActionConfig {
    sdk::FixedResponseActionConfig::builder()
        .set_message_body(text(config, "MessageBody"))
        .set_status_code(text(config, "StatusCode"))
        .set_content_type(text(config, "ContentType"))
        .build()
}

fn jwt_to_sdk(config: &Value) -> sdk::JwtValidationActionConfig {
    let claim = |claim: &Value| {
        sdk::JwtValidationActionAdditionalClaim::builder()
            .set_format(text(claim, "Format").map(|format| format.as_str().into()))
            .set_name(text(claim, "Name"))
            .set_values(texts(&claim["Values"]))
            .build()
    };
    sdk::JwtValidationActionConfig::builder()
        .set_jwks_endpoint(text(config, "JwksEndpoint"))
        .set_issuer(text(config, "Issuer"))
        .set_additional_claims(config["AdditionalClaims"].as_array().map(|claims| claims.iter().map(claim).collect()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_action_survives_the_way_there_and_back() {
        let actions = json!([
            {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": {
                "Issuer": "i", "AuthorizationEndpoint": "a", "TokenEndpoint": "t", "UserInfoEndpoint": "u", "ClientId": "c",
                "SessionCookieName": "s", "Scope": "openid", "SessionTimeout": 604_800,
                "AuthenticationRequestExtraParams": {"display": "page"}, "OnUnauthenticatedRequest": "deny"}},
            {"Type": "authenticate-cognito", "Order": 2, "AuthenticateCognitoConfig": {
                "UserPoolArn": "p", "UserPoolClientId": "c", "UserPoolDomain": "d", "SessionCookieName": "s", "Scope": "openid",
                "SessionTimeout": 60, "AuthenticationRequestExtraParams": {"x": "y"}, "OnUnauthenticatedRequest": "authenticate"}},
            {"Type": "jwt-validation", "Order": 3, "JwtValidationConfig": {"JwksEndpoint": "j", "Issuer": "i",
                "AdditionalClaims": [{"Format": "string-array", "Name": "aud", "Values": ["a", "b"]}]}},
            {"Type": "forward", "Order": 4, "TargetGroupArn": "tg", "ForwardConfig": {
                "TargetGroups": [{"TargetGroupArn": "tg", "Weight": 1}],
                "TargetGroupStickinessConfig": {"Enabled": true, "DurationSeconds": 3600}}},
            {"Type": "redirect", "Order": 5, "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}",
                "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}},
            {"Type": "fixed-response", "Order": 6, "FixedResponseConfig": {
                "MessageBody": "gone", "StatusCode": "410", "ContentType": "text/plain"}},
        ]);
        assert_eq!(from_sdk(&to_sdk(&actions).expect("known actions")), actions);
    }

    #[test]
    fn a_client_secret_is_never_read_and_the_existing_one_is_asked_for() {
        let action = sdk::Action::builder()
            .r#type(sdk::ActionTypeEnum::AuthenticateOidc)
            .authenticate_oidc_config(sdk::AuthenticateOidcActionConfig::builder().client_id("c").client_secret("hush").build())
            .build();
        let read = from_sdk(&[action]);
        assert!(!read.to_string().contains("hush"));
        let written = to_sdk(&crate::aws::actions::writable(&read)).expect("known");
        assert_eq!(written[0].authenticate_oidc_config().and_then(|config| config.use_existing_client_secret()), Some(true));
    }

    #[test]
    fn an_action_newer_than_this_program_is_refused() {
        assert_eq!(to_sdk(&json!([{"Type": "teleport"}])), Err(ActionError::UnknownType("teleport".into())));
        assert_eq!(to_sdk(&json!({})), Err(ActionError::Malformed));
    }
}
