//! What a worker needs to evaluate one segment: everything, so that it asks nobody else.

use std::collections::BTreeSet;

use jobengine_domain::digest::Digest;
use jobengine_domain::id::RunId;
use serde::{Deserialize, Serialize};

use crate::advisory::Advisory;
use crate::evaluate::{ImageInput, Scope};
use crate::kev::KevCatalogue;
use crate::sbom::Component;
use crate::vex::Statement;

/// One segment with its facts. Images share components, so each distinct component is written once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentInput {
    /// The run the segment belongs to.
    pub run_id: RunId,
    /// Its place in the run, from 0.
    pub ordinal: u32,
    /// What of the images is evaluated.
    pub scope: Scope,
    /// The images, each once.
    pub images: Vec<SegmentImage>,
    /// Every distinct component of the images.
    pub components: Vec<Component>,
    /// Advisories that speak of packages in the scope.
    pub advisories: Vec<Advisory>,
    /// Known exploited flaws.
    pub kev: KevCatalogue,
    /// VEX statements that may speak of the images or their components.
    pub vex: Vec<Statement>,
}

/// One image of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SegmentImage {
    /// The image.
    pub digest: Digest,
    /// Image references, with or without a tag.
    pub names: Vec<String>,
    /// Places in [`SegmentInput::components`].
    pub components: Vec<u32>,
}

/// One image with its components at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentSubject {
    /// The image.
    pub digest: Digest,
    /// The digest as text: what the image is called in the findings.
    pub image: String,
    /// Image references, with or without a tag.
    pub names: Vec<String>,
    /// All its components.
    pub components: Vec<Component>,
}

/// What is wrong with a segment input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SegmentInputError {
    /// An image lists a component that is not there.
    #[error("image {image} lists component {place}, and there are {count}")]
    ComponentMissing {
        /// The image.
        image: Digest,
        /// The place it lists.
        place: u32,
        /// How many components there are.
        count: usize,
    },
    /// An image is there twice.
    #[error("image {0} is in the segment twice")]
    ImageTwice(Digest),
}

impl SegmentInput {
    /// The images with their components, in the segment's order.
    ///
    /// # Errors
    /// [`SegmentInputError`] when an image lists a component that is not there or comes twice.
    pub fn into_images(self) -> Result<Vec<SegmentSubject>, SegmentInputError> {
        let mut seen = BTreeSet::new();
        let components = self.components;
        self.images
            .into_iter()
            .map(|image| {
                if !seen.insert(image.digest) {
                    return Err(SegmentInputError::ImageTwice(image.digest));
                }
                image.subject(&components)
            })
            .collect()
    }
}

impl SegmentImage {
    fn subject(self, components: &[Component]) -> Result<SegmentSubject, SegmentInputError> {
        let component = |place: u32| {
            components
                .get(place as usize)
                .cloned()
                .ok_or(SegmentInputError::ComponentMissing {
                    image: self.digest,
                    place,
                    count: components.len(),
                })
        };
        let components = self
            .components
            .iter()
            .copied()
            .map(component)
            .collect::<Result<_, _>>()?;
        Ok(SegmentSubject {
            digest: self.digest,
            image: self.digest.to_string(),
            names: self.names,
            components,
        })
    }
}

impl SegmentSubject {
    /// As [`crate::evaluate::evaluate`] takes it.
    pub fn input(&self) -> ImageInput<'_> {
        ImageInput {
            image: &self.image,
            digest: Some(&self.image),
            names: &self.names,
            components: &self.components,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

    fn input(images: &str) -> SegmentInput {
        let text = format!(
            r#"{{"runId":"01890000-0000-7000-8000-000000000000","ordinal":2,
                "scope":{{"packages":["npm/a"]}},"images":[{images}],
                "components":[{{"purl":"pkg:npm/a@1","identity":{{"Ok":{{"key":"npm/a","version":"1"}}}}}},
                    {{"purl":"pkg:npm/b","identity":{{"Err":{{"reason":"version-missing"}}}}}}],
                "advisories":[{{"id":"GHSA-1","affected":[{{"package":"npm/a","versions":["1"]}}]}}],
                "kev":{{"entries":{{"CVE-2024-1":"2024-01-01"}}}},
                "vex":[{{"vulnerabilities":["CVE-2024-1"],"products":[{{"id":"pkg:npm/a"}}],"status":"fixed"}}]}}"#
        );
        serde_json::from_str(&text).expect("the wire shape")
    }

    fn image(components: &str) -> String {
        format!(r#"{{"digest":"{ONE}","names":["redis:7"],"components":{components}}}"#)
    }

    #[test]
    fn the_wire_shape_is_kept() {
        let input = input(&image("[1,0]"));
        let text = serde_json::to_string(&input).expect("JSON");
        assert_eq!(
            serde_json::from_str::<SegmentInput>(&text).expect("read back"),
            input
        );
        assert!(text.starts_with(r#"{"runId":"01890000-0000-7000-8000-000000000000","ordinal":2,"scope":{"packages":["npm/a"]},"images":[{"digest":"sha256:11"#));
    }

    #[test]
    fn images_get_their_components() {
        let images = input(&image("[1,0]")).into_images().expect("whole");
        let purls: Vec<_> = images[0]
            .components
            .iter()
            .map(|component| component.purl.as_str())
            .collect();
        assert_eq!(purls, ["pkg:npm/b", "pkg:npm/a@1"]);
        let input = images[0].input();
        assert_eq!(
            (input.image, input.digest, input.names.len()),
            (ONE, Some(ONE), 1)
        );
    }

    #[test]
    fn a_broken_input_is_refused() {
        let refused = |images: &str| {
            input(images)
                .into_images()
                .expect_err("refused")
                .to_string()
        };
        assert_eq!(
            refused(&image("[2]")),
            format!("image {ONE} lists component 2, and there are 2")
        );
        let twice = format!("{},{}", image("[0]"), image("[]"));
        assert_eq!(
            refused(&twice),
            format!("image {ONE} is in the segment twice")
        );
    }
}
