//! The proof of what was agreed (`CONTRACT.md` §3): a hash that both sides can compute from the project they see.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::{Money, Project, ProjectId, ProposalId, Timestamp, UserId};

/// The terms of a project, with the values exactly as [`Project`] shows them.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms<'a> {
    /// Who ordered.
    pub client_id: UserId,
    /// The agreed deadline.
    pub deadline: Timestamp,
    /// The agreed price.
    pub price: Money,
    /// Which project.
    pub project_id: ProjectId,
    /// The accepted proposal.
    pub proposal_id: ProposalId,
    /// Who carries it out, in the order that the project shows.
    pub provider_ids: &'a [UserId],
    /// The agreed scope.
    pub scope: &'a str,
}

impl<'a> From<&'a Project> for Terms<'a> {
    fn from(project: &'a Project) -> Self {
        Self {
            client_id: project.client_id,
            deadline: project.deadline,
            price: project.price,
            project_id: project.id,
            proposal_id: project.proposal_id,
            provider_ids: &project.provider_ids,
            scope: &project.scope,
        }
    }
}

impl Terms<'_> {
    /// Lower-case hex SHA-256 of their canonical JSON (RFC 8785).
    ///
    /// # Panics
    /// Never: the amount is within 2⁵³, and everything else is text, so the canonical form exists.
    pub fn hash(&self) -> String {
        let canonical = serde_json_canonicalizer::to_vec(self).expect("terms are text and small integers only");
        hex::encode(Sha256::digest(canonical))
    }
}

/// [`Terms::hash`] of a project, to be compared with its `terms_hash`.
pub fn terms_hash(project: &Project) -> String {
    Terms::from(project).hash()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId(Uuid::from_u128(n))
    }

    fn hash(amount_minor: i64, scope: &str, providers: &[UserId]) -> String {
        Terms {
            client_id: user(0x0190_0000_0000_7000_8000_0000_0000_0001),
            deadline: "2026-03-01T10:30:00+01:00".parse().unwrap(),
            price: Money { amount_minor, currency: "USD".parse().unwrap() },
            project_id: ProjectId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00a1)),
            proposal_id: ProposalId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_00b1)),
            provider_ids: providers,
            scope,
        }
        .hash()
    }

    const PROVIDER: u128 = 0x0190_0000_0000_7000_8000_0000_0000_0002;

    /// The expected values were computed by Python's hashlib over the canonical text written out by hand.
    #[test]
    fn the_hash_is_the_one_that_another_program_computes() {
        assert_eq!(
            hash(125_000, "Build the site", &[user(PROVIDER)]),
            "c1276324fe322c88b522e18a9ccb69fa88bbeffe87e03972f097493a312320df"
        );
        assert_eq!(
            hash(9_007_199_254_740_991, "Zeile 1\nZeile\t2 \"x\" \\ / é 😀 \u{200f}\u{7f}", &[user(PROVIDER), user(3)]),
            "0c9bf087f669aab4461436192d35c43887238db6072d75951f72816f279ba70e"
        );
    }

    #[test]
    fn every_term_counts_and_the_order_of_providers_too() {
        let original = hash(125_000, "Build the site", &[user(PROVIDER), user(3)]);
        for other in [
            hash(125_001, "Build the site", &[user(PROVIDER), user(3)]),
            hash(125_000, "Build the site ", &[user(PROVIDER), user(3)]),
            hash(125_000, "Build the site", &[user(3), user(PROVIDER)]),
            hash(125_000, "Build the site", &[user(PROVIDER)]),
        ] {
            assert_ne!(original, other);
        }
    }
}
