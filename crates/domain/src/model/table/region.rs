//! Geographies of AWS's inference profiles.

/// Group of the profiles that send requests to any commercial region.
pub(super) const GLOBAL: &str = "global";

/// Returns the groups whose profiles requests in a region may use, the smallest first. Sources: the model cards of November
/// 2026 (source regions of the profiles), which say of Canada and Israel that they use those of the US and of Europe.
pub(super) fn geographies(region: &str) -> &'static [&'static str] {
    match region {
        "ap-northeast-1" | "ap-northeast-3" => return &["jp", "apac"],
        "ap-southeast-2" | "ap-southeast-4" | "ap-southeast-6" => return &["au", "apac"],
        "il-central-1" => return &["eu"],
        _ => {}
    }
    let by_start: [(&str, &'static [&'static str]); 6] = [
        ("us-gov-", &["us-gov"]),
        ("us-", &["us"]),
        ("ca-", &["ca", "us"]),
        ("eu-", &["eu"]),
        ("ap-", &["apac"]),
        ("sa-", &["sa"]),
    ];
    by_start.iter().find(|(start, _)| region.starts_with(start)).map_or(&[], |(_, groups)| groups)
}

/// Returns true if requests in a region may use `global.` profiles: those of commercial regions only.
pub(super) fn may_be_global(region: &str) -> bool {
    !["us-gov-", "cn-"].iter().any(|start| region.starts_with(start))
}
