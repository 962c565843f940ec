//! A question's bytes to an answer's.

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        Name as DnsName, RData, Record, RecordType,
        rdata::{A, CNAME, SOA, SRV},
    },
};
use rand::{SeedableRng as _, rngs::StdRng};

use super::lookup::{Found, Name, look_up};
use crate::sim::{route53::absolute, simulator::World};

/// A chain of aliases ends after so many names.
const LONGEST_CHAIN: usize = 8;
/// How long a name's absence may be remembered, in seconds.
const ABSENCE: u32 = 1;

/// The answer. None: the bytes are no question, and nobody waits for words about that.
pub fn answer(world: &World, bytes: &[u8]) -> Option<Vec<u8>> {
    let question = Message::from_vec(bytes).ok()?;
    if question.message_type() != MessageType::Query {
        return None;
    }
    let mut reply = Message::new();
    reply.set_id(question.id()).set_message_type(MessageType::Response).set_op_code(question.op_code());
    reply.set_recursion_desired(question.recursion_desired());
    match question.queries() {
        [query] if question.op_code() == OpCode::Query => {
            reply.add_query(query.clone());
            fill(world, query, &mut reply);
        }
        _ => {
            reply.set_response_code(ResponseCode::NotImp);
        }
    }
    reply.to_vec().ok()
}

fn fill(world: &World, query: &Query, reply: &mut Message) {
    let now = world.clock.now();
    let mut state = world.state();
    let mut random = StdRng::seed_from_u64(state.draw());
    let mut owner = query.name().clone();
    reply.set_authoritative(true);
    for hop in 0..LONGEST_CHAIN {
        match look_up(&state, now, &absolute(&owner.to_ascii()), &mut random) {
            // A chain that leaves our zones ends with the name it leaves by.
            Name::Outside if hop > 0 => return,
            Name::Outside => {
                reply.set_authoritative(false).set_response_code(ResponseCode::Refused);
                return;
            }
            Name::Missing(zone) => {
                reply.set_response_code(ResponseCode::NXDomain);
                return absent(&zone, reply);
            }
            Name::There(found, zone) => {
                let alias = found.iter().find_map(|found| match found {
                    Found::Alias { name, ttl } => Some((name, *ttl)),
                    _ => None,
                });
                if let Some((name, ttl)) = alias
                    && let Ok(target) = DnsName::from_ascii(name)
                {
                    reply.add_answer(Record::from_rdata(owner.clone(), ttl, RData::CNAME(CNAME(target.clone()))));
                    if query.query_type() == RecordType::CNAME {
                        return;
                    }
                    owner = target;
                    continue;
                }
                let before = reply.answers().len();
                found.iter().for_each(|found| add(query.query_type(), &owner, found, reply));
                if reply.answers().len() == before {
                    absent(&zone, reply);
                }
                return;
            }
        }
    }
    reply.set_response_code(ResponseCode::ServFail);
}

fn add(wanted: RecordType, owner: &DnsName, found: &Found, reply: &mut Message) {
    match (wanted, found) {
        (RecordType::A, Found::Address { address, ttl }) => {
            reply.add_answer(Record::from_rdata(owner.clone(), *ttl, RData::A(A(*address))));
        }
        (RecordType::SRV, Found::Place { target, port, address, ttl }) => {
            let Ok(target) = DnsName::from_ascii(target) else { return };
            // Cloud Map's priority and weight are always 1.
            let place = SRV::new(1, 1, *port, target.clone());
            reply.add_answer(Record::from_rdata(owner.clone(), *ttl, RData::SRV(place)));
            if let Some(address) = address {
                reply.add_additional(Record::from_rdata(target, *ttl, RData::A(A(*address))));
            }
        }
        _ => {}
    }
}

/// Says who would know, and for how long the absence may be remembered.
fn absent(zone: &str, reply: &mut Message) {
    let Ok(zone) = DnsName::from_ascii(zone) else { return };
    let server = DnsName::from_ascii("ns-1.awsdns-00.com.").unwrap_or_else(|_| zone.clone());
    let soa = SOA::new(server.clone(), server, 1, 7_200, 900, 1_209_600, ABSENCE);
    reply.add_name_server(Record::from_rdata(zone, ABSENCE, RData::SOA(soa)));
}
