//! What the wire is told of a foreign document that cannot be taken: the document's own code, and where.

use jobengine_impact::document::DocumentError;

use super::{Code, Problem};

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        let DocumentError {
            code,
            place,
            detail,
        } = error;
        Self::new(Code::Document(code), format!("{place}: {detail}")).with_error(
            place,
            code.as_str(),
            detail,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jobengine_impact::document::DocumentCode;

    #[test]
    fn the_wire_says_the_document_s_own_code_and_where() {
        let error = DocumentError::new(DocumentCode::PurlInvalid, "components[4].purl", "broken");
        let problem = Problem::from(error);
        assert_eq!(problem.code().as_str(), "PURL_INVALID");
        assert_eq!(problem.code().status(), 422);
        assert_eq!(problem.errors[0].field, "components[4].purl");
        assert_eq!(problem.errors[0].code, "PURL_INVALID");
    }
}
