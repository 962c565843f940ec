//! More to deploy to: lines of their own behind a few load balancers, each with a production and a stage listener and two target
//! groups. For what happens when many deploy at once.

use anyhow::Context;
use aws_sdk_elasticloadbalancingv2 as elbv2;
use delegate::aws::budget::{Budgets, Operation};

use super::{LoadBalancerSeed, Seed, aws_config, seed};

/// Lines behind one load balancer: AWS allows it 50 listeners.
const LINES_A_BALANCER: usize = 20;
/// The first line's production listener has this port, its stage listener the next one.
const FIRST_PORT: u16 = 9_000;

/// Where one line's listeners are.
#[derive(Debug, Clone)]
pub struct SeededLine {
    /// Name of the load balancer.
    pub load_balancer: String,
    /// Port of the production listener.
    pub prod_port: u16,
    /// Port of the stage listener.
    pub stage_port: u16,
}

/// Makes so many lines. `rate`: how many times faster than AWS the simulated AWS is; it is called within its limits.
///
/// # Errors
/// When AWS refuses something.
pub async fn seed_lines(aws: &Seed, count: usize, rate: f64) -> anyhow::Result<Vec<SeededLine>> {
    let elb = elbv2::Client::new(&aws_config(aws));
    let budget = Budgets::published(rate).of(None, &aws.region);
    let mut lines = Vec::with_capacity(count);
    for first in (0..count).step_by(LINES_A_BALANCER) {
        let name = format!("lines-{}", first / LINES_A_BALANCER);
        let arn = seed::load_balancer(&elb, &name).await?.0;
        for line in first..count.min(first + LINES_A_BALANCER) {
            let prod_port = FIRST_PORT + 2 * u16::try_from(line - first).context("lines of one load balancer")?;
            let wanted = LoadBalancerSeed {
                name: format!("line-{line}"),
                prod_port,
                stage_port: prod_port + 1,
                ..aws.load_balancer.clone()
            };
            for (number, port) in [(1, wanted.prod_port), (2, wanted.stage_port)] {
                // Two calls for the group.
                budget.turn(Operation::ChangeLoadBalancing).await;
                budget.turn(Operation::ChangeLoadBalancing).await;
                let group = seed::target_group(&elb, &wanted, number).await?;
                budget.turn(Operation::ChangeLoadBalancing).await;
                seed::listener(&elb, &arn, port, &group).await?;
            }
            lines.push(SeededLine { load_balancer: name.clone(), prod_port, stage_port: prod_port + 1 });
        }
    }
    Ok(lines)
}
