//! Joining by AWS identity: no token, no secret that leaves the VPC; STS (the sandbox plays it and verifies signatures) says who comes,
//! the rules say who may.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context;
use aws_credential_types::Credentials;
use proto::delegate::{AwsIdentity, EnrollRequest, SignedHeader, delegate_gateway_client::DelegateGatewayClient};
use runtime::tls;
use sandbox::world::{Process, World, WorldSettings, aws_config};
use serde_json::Value;
use tests::{deployments::deploy_well, processes::ends_saying, programs::programs};

const RULES: &str = "\
- arn: arn:aws:sts::123456789012:assumed-role/segue-shop/*
  applications: [shop]
- arn: arn:aws:sts::123456789012:assumed-role/segue-till/*
  applications: [till]
";

async fn world() -> anyhow::Result<World> {
    let settings = WorldSettings { delegates: 1, aws_join: Some(RULES.to_owned()), ..WorldSettings::default() };
    World::start(programs(), settings).await
}

/// Credentials of a role's session, as a container or a machine would have them.
async fn session(world: &World, role: &str) -> anyhow::Result<Credentials> {
    let sts = aws_sdk_sts::Client::new(&aws_config(&world.seed));
    let arn = format!("arn:aws:iam::123456789012:role/{role}");
    let assumed = sts.assume_role().role_arn(arn).role_session_name("i-0123").send().await?;
    let given = assumed.credentials().context("credentials")?;
    let token = Some(given.session_token().to_owned());
    Ok(Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "test"))
}

/// A delegate that joins by its AWS identity and nothing else.
fn delegate(world: &World, name: &str, credentials: &Credentials) -> anyhow::Result<Process> {
    let mut command = world.programs().delegate();
    command.arg("--control-plane").arg(world.gateway_url());
    command.arg("--authorities").arg(world.dir.join("authorities.pem")).arg("--join-by-aws");
    command.arg("--state-dir").arg(world.dir.join(name)).arg("--name").arg(name);
    command.env("AWS_ENDPOINT_URL", &world.seed.endpoint).env("AWS_REGION", &world.seed.region);
    command.env("AWS_ACCESS_KEY_ID", credentials.access_key_id());
    command.env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key());
    if let Some(token) = credentials.session_token() {
        command.env("AWS_SESSION_TOKEN", token);
    }
    Process::start(name, command, &world.dir)
}

async fn listed(world: &World) -> anyhow::Result<Vec<Value>> {
    Ok(serde_json::from_str(&world.segue(&["delegate", "list", "--all", "-o", "json"]).await?)?)
}

#[tokio::test]
async fn a_role_that_a_rule_names_joins_with_the_rule_s_scope_and_nobody_else_does() -> anyhow::Result<()> {
    let mut world = world().await?;
    let shop = session(&world, "segue-shop").await?;
    let mut joined = delegate(&world, "by-aws", &shop)?;
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    let found = loop {
        let all = listed(&world).await?;
        if let Some(found) = all.into_iter().find(|found| found["name"] == "by-aws" && found["connected"] == true) {
            break found;
        }
        assert!(joined.is_running() && tokio::time::Instant::now() < deadline, "{}", joined.output());
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(found["identity"], "arn:aws:sts::123456789012:assumed-role/segue-shop/i-0123");
    assert_eq!(found["applications"], serde_json::json!(["shop"]));
    // It is a delegate as every other: alone it deploys.
    world.delegates[0].process.stop(Duration::from_secs(20)).await?;
    deploy_well(&world, "1").await?;

    // Another role, the key of nobody, and a right key id with a wrong secret.
    let stranger = session(&world, "admin").await?;
    ends_saying(
        delegate(&world, "stranger", &stranger)?,
        "no rule lets arn:aws:sts::123456789012:assumed-role/admin/i-0123 join",
    )
    .await?;
    let nobody = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", None, None, "test");
    ends_saying(delegate(&world, "nobody", &nobody)?, "AWS does not confirm the identity: InvalidClientTokenId").await?;
    let token = shop.session_token().map(str::to_owned);
    let forged = Credentials::new(shop.access_key_id(), "guessed", token, None, "test");
    ends_saying(delegate(&world, "forger", &forged)?, "AWS does not confirm the identity: SignatureDoesNotMatch").await?;
    // A revoked delegate's identity stays refused, and the rules may change without a restart.
    std::fs::write(world.dir.join("aws-join.yaml"), "[]\n")?;
    ends_saying(delegate(&world, "late", &shop)?, "no rule lets").await?;
    assert_eq!(listed(&world).await?.len(), 2, "nobody else is known");

    joined.stop(Duration::from_secs(20)).await?;
    world.server.stop(Duration::from_secs(20)).await?;
    Ok(())
}

/// A claim that was seen by somebody who is not the delegate: for another key it is worth nothing.
#[tokio::test]
async fn a_proof_is_good_for_one_key_and_one_control_plane() -> anyhow::Result<()> {
    tls::install_provider();
    let world = world().await?;
    let authorities = std::fs::read_to_string(world.dir.join("authorities.pem"))?;
    let credentials = session(&world, "segue-shop").await?;
    let key = tls::new_key()?;
    let request = tls::request(&key)?;
    let claim = claim(&world, &credentials, &tls::binding(&request, &authorities))?;
    let enroll = async |request: &str, claim: &AwsIdentity| {
        let endpoint = tls::endpoint(&world.gateway_url(), &authorities, None)?;
        let mut client = DelegateGatewayClient::new(endpoint.connect().await?);
        let asked = EnrollRequest {
            join_token: String::new(),
            certificate_request: request.to_owned(),
            name: "by-hand".to_owned(),
            aws_identity: Some(claim.clone()),
        };
        anyhow::Ok(client.enroll(asked).await.map(|answer| answer.into_inner().delegate_id))
    };
    let first = enroll(&request, &claim).await??;
    let again = enroll(&request, &claim).await??;
    assert_eq!(first, again, "the same request is the same delegate, as after a lost answer");

    let thief = tls::request(&tls::new_key()?)?;
    let refused = enroll(&thief, &claim).await?.expect_err("another key");
    assert!(refused.message().contains("made for another key"), "{refused}");
    // What the signature does not cover can't be changed either: the binding is covered.
    let mut changed = claim.clone();
    let digest = tls::binding(&thief, &authorities);
    for header in changed.headers.iter_mut().filter(|header| header.name == tls::BINDING_HEADER) {
        header.value.clone_from(&digest);
    }
    let refused = enroll(&thief, &changed).await?.expect_err("forged");
    assert!(refused.message().contains("SignatureDoesNotMatch"), "{refused}");

    let revoked = world.segue(&["delegate", "revoke", &first, "--yes"]).await;
    revoked.context("revoked")?;
    let refused = enroll(&request, &claim).await?.expect_err("revoked");
    assert!(refused.message().contains("revoked"), "{refused}");
    world.stop().await
}

/// A signed request to STS with this binding, by the official signer.
fn claim(world: &World, credentials: &Credentials, binding: &str) -> anyhow::Result<AwsIdentity> {
    use aws_sigv4::{
        http_request::{SignableBody, SignableRequest, SigningSettings, sign},
        sign::v4,
    };
    let identity = credentials.clone().into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&world.seed.region)
        .name("sts")
        .time(std::time::SystemTime::now())
        .settings(SigningSettings::default())
        .build()?;
    let own = BTreeMap::from([("content-type", "application/x-www-form-urlencoded"), (tls::BINDING_HEADER, binding)]);
    let body = SignableBody::Bytes(b"Action=GetCallerIdentity&Version=2011-06-15");
    let url = format!("{}/", world.seed.endpoint);
    let request = SignableRequest::new("POST", url, own.iter().map(|(name, value)| (*name, *value)), body)?;
    let (instructions, _) = sign(request, &parameters.into())?.into_parts();
    let header = |(name, value): (&str, &str)| SignedHeader { name: name.to_owned(), value: value.to_owned() };
    let headers = instructions.headers().chain(own.iter().map(|(name, value)| (*name, *value))).map(header).collect();
    Ok(AwsIdentity { region: world.seed.region.clone(), headers })
}
