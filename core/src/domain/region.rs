//! AWS regions and the partitions they belong to.

/// A group of regions with its own accounts, names and credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partition {
    /// `aws`: the commercial regions.
    Aws,
    /// `aws-cn`: China.
    China,
    /// `aws-us-gov`: GovCloud.
    GovCloud,
    /// `aws-iso`.
    Iso,
    /// `aws-iso-b`.
    IsoB,
    /// `aws-iso-e`.
    IsoE,
    /// `aws-iso-f`.
    IsoF,
    /// `aws-eusc`: the European sovereign cloud.
    EuSovereign,
}

/// Every partition, with the region prefixes of the SDK's `partitions.json`. The longer prefixes come first
/// where one begins like another.
const PREFIXES: [(Partition, &[&str]); 8] = [
    (Partition::GovCloud, &["us-gov"]),
    (Partition::IsoB, &["us-isob"]),
    (Partition::IsoF, &["us-isof"]),
    (Partition::Iso, &["us-iso"]),
    (Partition::IsoE, &["eu-isoe"]),
    (Partition::EuSovereign, &["eusc"]),
    (Partition::China, &["cn"]),
    (Partition::Aws, &["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"]),
];

impl Partition {
    /// The partition of a region, or `None` when its name fits none of them.
    ///
    /// A region's name is `<prefix>-<word>-<digits>` (`us-west-2`, `us-gov-east-1`, `eusc-de-east-1`).
    #[must_use]
    pub fn of_region(region: &str) -> Option<Self> {
        PREFIXES.iter().find_map(|(partition, prefixes)| {
            prefixes.iter().any(|prefix| fits(region, prefix, *partition)).then_some(*partition)
        })
    }

    /// The name in an ARN: `arn:<name>:cognito-idp:…`.
    #[must_use]
    pub fn arn_name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::China => "aws-cn",
            Self::GovCloud => "aws-us-gov",
            Self::Iso => "aws-iso",
            Self::IsoB => "aws-iso-b",
            Self::IsoE => "aws-iso-e",
            Self::IsoF => "aws-iso-f",
            Self::EuSovereign => "aws-eusc",
        }
    }
}

fn fits(region: &str, prefix: &str, partition: Partition) -> bool {
    let Some(rest) = region.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let rest = match partition {
        Partition::EuSovereign => match rest.strip_prefix("de-") {
            Some(rest) => rest,
            None => return false,
        },
        Partition::Aws
        | Partition::China
        | Partition::GovCloud
        | Partition::Iso
        | Partition::IsoB
        | Partition::IsoE
        | Partition::IsoF => rest,
    };
    match rest.split_once('-') {
        Some((word, digits)) => {
            !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !digits.is_empty()
                && digits.bytes().all(|b| b.is_ascii_digit())
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_belongs_to_the_partition_of_its_prefix() {
        for (region, partition) in [
            ("us-west-2", Some(Partition::Aws)),
            ("ap-southeast-5", Some(Partition::Aws)),
            ("mx-central-1", Some(Partition::Aws)),
            ("cn-north-1", Some(Partition::China)),
            ("us-gov-east-1", Some(Partition::GovCloud)),
            ("us-iso-east-1", Some(Partition::Iso)),
            ("us-isob-east-1", Some(Partition::IsoB)),
            ("eu-isoe-west-1", Some(Partition::IsoE)),
            ("us-isof-south-1", Some(Partition::IsoF)),
            ("eusc-de-east-1", Some(Partition::EuSovereign)),
            ("mars-north-1", None),
            ("us-west", None),
            ("us-west-", None),
            ("us--2", None),
            ("us-west-2x", None),
            ("us-we_st-2", Some(Partition::Aws)),
            ("us-we.st-2", None),
            ("", None),
        ] {
            assert_eq!(Partition::of_region(region), partition, "{region}");
        }
    }

    #[test]
    fn an_arn_names_the_partition_of_its_region() {
        for (region, name) in [
            ("us-west-2", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-east-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(Partition::of_region(region).map(Partition::arn_name), Some(name), "{region}");
        }
    }
}
