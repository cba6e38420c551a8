//! What Bedrock offers in which region: the life of models, their inference profiles, and the regions in which they are used by
//! their own ids. From the user guide (supported models of batch inference, model cards, lifecycle pages), November 2026.

use crate::timestamps::Timestamp;

/// Where a model is used by its own id.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OwnId {
    Everywhere,
    Nowhere,
    In(&'static [&'static str]),
}

/// A model in Bedrock's listings.
#[derive(Debug)]
pub(crate) struct Offer {
    pub(crate) id: &'static str,
    own_id: OwnId,
    /// Groups of its inference profiles.
    pub(crate) profiles: &'static [&'static str],
    pub(crate) takes_images: bool,
}

impl Offer {
    pub(crate) fn is_used_by_own_id(&self, region: &str) -> bool {
        match self.own_id {
            OwnId::Everywhere => true,
            OwnId::Nowhere => false,
            OwnId::In(regions) => regions.contains(&region),
        }
    }

    /// The ids of its profiles that requests from a region can use.
    pub(crate) fn profile_ids(&self, region: &str) -> impl Iterator<Item = String> {
        let groups = groups_of(region);
        self.profiles.iter().filter(move |group| groups.contains(group)).map(|group| format!("{group}.{}", self.id))
    }
}

const fn offer(id: &'static str, own_id: OwnId, profiles: &'static [&'static str], takes_images: bool) -> Offer {
    Offer { id, own_id, profiles, takes_images }
}

const FROM_4_5: &[&str] = &["us", "eu", "jp", "au", "global"];
const OPUS: &[&str] = &["us", "eu", "au", "global"];
const FIRST_NOVAS: &[&str] = &["us", "eu", "apac"];
const NOVA_REGIONS: &[&str] = &["us-east-1", "us-gov-west-1", "me-central-1", "ap-southeast-3"];

/// Models that are listed. Others that the simulator knows are answered for, too, but without regions.
pub(crate) const OFFERS: &[Offer] = &[
    offer("anthropic.claude-3-haiku-20240307-v1:0", OwnId::Everywhere, &["us", "eu", "apac"], true),
    offer("anthropic.claude-3-5-haiku-20241022-v1:0", OwnId::In(&["us-west-2"]), &["us"], false),
    offer("anthropic.claude-3-5-sonnet-20241022-v2:0", OwnId::In(&["us-west-2"]), &["us", "apac"], true),
    offer("anthropic.claude-3-7-sonnet-20250219-v1:0", OwnId::Nowhere, &["us", "eu", "apac"], true),
    offer("anthropic.claude-sonnet-4-20250514-v1:0", OwnId::Nowhere, &["us", "eu", "apac", "global"], true),
    offer("anthropic.claude-sonnet-4-5-20250929-v1:0", OwnId::Nowhere, FROM_4_5, true),
    offer("anthropic.claude-sonnet-4-6", OwnId::In(&["eu-west-2"]), FROM_4_5, true),
    offer("anthropic.claude-haiku-4-5-20251001-v1:0", OwnId::Nowhere, FROM_4_5, true),
    offer("anthropic.claude-opus-4-5-20251101-v1:0", OwnId::Nowhere, &["us", "eu", "global"], true),
    offer("anthropic.claude-opus-4-6-v1", OwnId::Nowhere, OPUS, true),
    offer("anthropic.claude-opus-5", OwnId::Nowhere, OPUS, true),
    offer("amazon.nova-micro-v1:0", OwnId::In(NOVA_REGIONS), FIRST_NOVAS, false),
    offer("amazon.nova-lite-v1:0", OwnId::In(NOVA_REGIONS), FIRST_NOVAS, true),
    offer("amazon.nova-pro-v1:0", OwnId::In(NOVA_REGIONS), FIRST_NOVAS, true),
    offer("amazon.nova-premier-v1:0", OwnId::Nowhere, &["us"], true),
    offer("amazon.nova-2-lite-v1:0", OwnId::Nowhere, &["us", "eu", "jp", "global"], true),
    offer("amazon.titan-embed-text-v2:0", OwnId::Everywhere, &[], false),
    offer("amazon.titan-embed-image-v1", OwnId::Everywhere, &[], true),
    offer("meta.llama3-1-8b-instruct-v1:0", OwnId::In(&["us-west-2"]), &["us"], false),
    offer("meta.llama3-1-70b-instruct-v1:0", OwnId::In(&["us-west-2"]), &["us"], false),
    offer("meta.llama3-3-70b-instruct-v1:0", OwnId::In(&["us-east-2"]), &["us"], false),
    offer("meta.llama4-maverick-17b-instruct-v1:0", OwnId::Nowhere, &["us"], true),
    offer("meta.llama4-scout-17b-instruct-v1:0", OwnId::Nowhere, &["us"], true),
    offer("mistral.mistral-small-2402-v1:0", OwnId::In(&["us-east-1"]), &[], false),
    offer("mistral.mistral-large-3-675b-instruct", OwnId::Everywhere, &[], true),
    offer("deepseek.v3.2", OwnId::Everywhere, &[], false),
    offer("openai.gpt-oss-20b-1:0", OwnId::Everywhere, &[], false),
    offer("openai.gpt-oss-120b-1:0", OwnId::Everywhere, &[], false),
    offer("qwen.qwen3-32b-v1:0", OwnId::Everywhere, &[], false),
];

/// The listed model with exactly this id.
pub(crate) fn find(base: &str) -> Option<&'static Offer> {
    OFFERS.iter().find(|offer| offer.id == base)
}

/// Dates on which models reached, or will reach, the end of their life, by the beginnings of their ids, and the regions in which
/// they live on.
const ENDS: &[(&str, &str, &[&str])] = &[
    ("anthropic.claude-3-haiku-", "2026-09-10", &["ca-central-1", "eu-central-2", "sa-east-1"]),
    ("anthropic.claude-3-sonnet-", "2026-07-31", &[]),
    ("anthropic.claude-3-5-haiku-", "2026-06-19", &[]),
    ("anthropic.claude-3-5-sonnet-", "2026-07-31", &[]),
    ("anthropic.claude-3-7-sonnet-", "2026-04-30", &[]),
    ("anthropic.claude-sonnet-4-20250514", "2026-10-14", &[]),
    ("anthropic.claude-opus-4-1-", "2027-01-08", &[]),
    ("amazon.nova-premier-", "2026-09-14", &[]),
    ("meta.llama3-2-", "2026-07-07", &[]),
    ("meta.llama3-1-405b-", "2026-07-07", &[]),
];

/// The date on which a model reaches its end in a region, if it has one.
pub(crate) fn end_of_life(base: &str, region: &str) -> Option<&'static str> {
    let (_, date, lives_on) = ENDS.iter().find(|(beginning, ..)| base.starts_with(beginning))?;
    (!lives_on.contains(&region)).then_some(date)
}

/// Returns true if that date has come.
pub(crate) fn has_passed(date: &str) -> bool {
    Timestamp::now().iso8601().get(..10).is_some_and(|today| date <= today)
}

/// The groups of profiles that requests from a region can use.
pub(crate) fn groups_of(region: &str) -> &'static [&'static str] {
    match region {
        "ap-northeast-1" | "ap-northeast-3" => &["jp", "apac", "global"],
        "ap-southeast-2" | "ap-southeast-4" => &["au", "apac", "global"],
        "il-central-1" => &["eu", "global"],
        _ if region.starts_with("us-gov-") => &["us-gov"],
        _ if region.starts_with("us-") => &["us", "global"],
        _ if region.starts_with("ca-") => &["ca", "us", "global"],
        _ if region.starts_with("eu-") => &["eu", "global"],
        _ if region.starts_with("ap-") => &["apac", "global"],
        _ => &["global"],
    }
}
