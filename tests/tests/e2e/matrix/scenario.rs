//! What is under way when a fault strikes: each scenario begins and ends with one version serving and the one before it at 0.

use anyhow::Context;
use sandbox::world::{Switch, World};
use serde_json::Value;
use tests::{
    deployments::{WORKFLOW, deploy_well, segue},
    documents::change_workflow,
};

/// The world's workflow under another name, with a check after the swap that nothing can satisfy.
const FAILS_LATE: &str = "fails-late";
const LATE_CHECK: &str = "        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 200ms, interval: 100ms}
          name: Late Check
";
/// The same with a watch over production.
const BAKES: &str = "bakes";

/// The same with half of the traffic first.
const SHIFTS: &str = "shifts";

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scenario {
    /// A version is deployed.
    Deploy,
    /// A deployment fails after its swap and is undone.
    Undo,
    /// A version that answers badly is put back while production is watched, and undone.
    Bake,
    /// A deployment that had succeeded is rolled back.
    Rollback,
    /// A version gets half of the traffic, is found wanting, and gets none.
    Shift,
    /// A version is deployed by DNS.
    DnsDeploy,
    /// A deployment by DNS fails after its change of weights and is undone.
    DnsUndo,
}

impl Scenario {
    pub(super) const ALL: [Self; 7] =
        [Self::Deploy, Self::Undo, Self::Bake, Self::Rollback, Self::Shift, Self::DnsDeploy, Self::DnsUndo];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Deploy => "deploy",
            Self::Undo => "undo",
            Self::Bake => "bake",
            Self::Rollback => "rollback",
            Self::Shift => "shift",
            Self::DnsDeploy => "deploy by DNS",
            Self::DnsUndo => "undo by DNS",
        }
    }

    /// What leads the traffic.
    pub(super) fn switch(self) -> Switch {
        match self {
            Self::DnsDeploy | Self::DnsUndo => Switch::Dns,
            Self::Deploy | Self::Undo | Self::Bake | Self::Rollback | Self::Shift => Switch::LoadBalancer,
        }
    }

    /// How it has to end.
    pub(super) fn outcome(self) -> &'static str {
        match self {
            Self::Deploy | Self::Rollback | Self::DnsDeploy => "succeeded",
            Self::Undo | Self::Bake | Self::Shift | Self::DnsUndo => "rolledBack",
        }
    }

    /// Whether another version serves when it has ended: the new one, or the one that was at 0.
    pub(super) fn changes_production(self) -> bool {
        matches!(self, Self::Deploy | Self::Rollback | Self::DnsDeploy)
    }

    /// How many revisions it registers.
    pub(super) fn revisions(self) -> usize {
        usize::from(self != Self::Rollback)
    }

    /// Whether a failed request may be the new version's own bad answer.
    pub(super) fn answers_badly(self) -> bool {
        self == Self::Bake
    }

    /// The workflows that the scenarios need, and a version that serves with one before it.
    pub(super) async fn prepare(world: &World) -> anyhow::Result<()> {
        let named = |text: &str, name: &str| text.replace(&format!("name: {WORKFLOW}"), &format!("name: {name}"));
        change_workflow(world, |text| format!("{}{LATE_CHECK}", named(text, FAILS_LATE))).await?;
        if world.dns.is_some() {
            deploy_well(world, "1").await?;
            deploy_well(world, "2").await?;
            return Ok(());
        }
        let half = "        - shiftTraffic: 50\n        - httpCheck: {url: \"http://127.0.0.1:9/\", within: 200ms, interval: 100ms}\n        - swapTargetGroups:\n";
        change_workflow(world, |text| named(text, SHIFTS).replace("        - swapTargetGroups:\n", half)).await?;
        let bake = "            probe: /healthz\n            bake: {window: 1h, interval: 100ms, probe: /}\n";
        change_workflow(world, |text| named(text, BAKES).replace("            probe: /healthz\n", bake)).await?;
        deploy_well(world, "1").await?;
        deploy_well(world, "2").await?;
        Ok(())
    }

    /// What has to be before it begins.
    pub(super) async fn before(self, world: &World) -> anyhow::Result<()> {
        if self == Self::Rollback {
            deploy_well(world, "next").await?;
        }
        Ok(())
    }

    /// Begins it; gives the deployment's id.
    pub(super) async fn begin(self, world: &World) -> anyhow::Result<String> {
        let deploy = |workflow, tag| ["deploy", workflow, "--artifact-tag", tag, "--detach", "-o", "json"].to_vec();
        let arguments = match self {
            Self::Deploy | Self::DnsDeploy => deploy(WORKFLOW, "next"),
            Self::Undo | Self::DnsUndo => deploy(FAILS_LATE, "next"),
            Self::Shift => deploy(SHIFTS, "next"),
            Self::Bake => deploy(BAKES, "next-500"),
            Self::Rollback => ["rollback", "--yes", "--detach", "-o", "json"].to_vec(),
        };
        let ended = segue(world, &arguments).await?;
        let accepted: Value = serde_json::from_str(&ended.stdout).with_context(|| ended.all())?;
        Ok(accepted["id"].as_str().with_context(|| ended.all())?.to_owned())
    }
}
