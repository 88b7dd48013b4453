//! The rules of HDLC (IEC 62056-46) on the optical port.

use meterbench_instruments::PortError;
use meterbench_record::Value;

use super::{Finding, Talk, plan_limit};

/// A request of the reader to connect anew, with a wrong check sequence, and octets that are no frame. A meter that takes it
/// drops the association.
const DAMAGED: [u8; 18] =
    [0x7E, 0xA0, 0x0A, 0x02, 0x23, 0x05, 0x93, 0x00, 0x00, 0x00, 0x00, 0x7E, 0xFF, 0x00, 0x55, 0xAA, 0x7E, 0x7E];

impl Talk<'_> {
    /// A long answer keeps to the window; damaged frames and noise are passed over.
    pub(super) async fn hdlc_link(&mut self) -> Result<(), PortError> {
        self.associate("reader").await?;
        let objects = self.port.object_list().await?.len();
        let Some(report) = self.port.link_report() else { return Ok(()) };
        let window = f64::from(report.agreed.window_receive);
        let limit = plan_limit(None, Some(window), "frames of the window that was agreed on");
        let value = Value::Integer(report.longest_burst.into());
        let mut finding = Finding::figure("a long answer", "frames-in-a-row", value, "1", limit);
        finding.raw.insert("objects".into(), objects.into());
        finding.raw.insert("information".into(), report.agreed.information_receive.into());
        self.find(finding);

        self.port.write_raw(&DAMAGED).await?;
        let after = self.port.object_list().await;
        if after.as_ref().is_err_and(|error| !error.is_of_meter()) {
            // Does it live? Then the noise was too much for it; if not, it is the line.
            self.associate("reader").await?;
        }
        let same = after.as_ref().is_ok_and(|list| list.len() == objects);
        let found = match &after {
            Ok(_) if same => "answered as before".to_owned(),
            Ok(list) => format!("{} objects", list.len()),
            Err(error) => error.to_string(),
        };
        self.find(Finding::met("damaged frames and noise", "link", same, &found, "passed over", None));
        Ok(())
    }
}
