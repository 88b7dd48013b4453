//! What the meter writes down with the time, as clients read it: load profile, demand, events.

use meterbench_iec62056::apdu::{CaptureObject, EntryDescriptor, RangeDescriptor, SelectiveAccess};
use meterbench_iec62056::data::Sequence;
use meterbench_iec62056::date_time::DateTime;
use meterbench_meter::port::NetworkPort;
use meterbench_meter::{Memory, Product};
use meterbench_metrology::{CycleSums, PhaseSums};

use super::*;

const PROFILE: &str = "1-0:99.1.0";
const CLOCK: CaptureObject = CaptureObject { class: 8, name: Obis::CLOCK, attribute: 2, data_index: 0 };
const STATUS: CaptureObject =
    CaptureObject { class: 1, name: Obis([0, 0, 96, 10, 1, 255]), attribute: 2, data_index: 0 };
/// Octets in front of the load profile.
const LOGS: usize = 6656;

fn energy(c: u8) -> CaptureObject {
    CaptureObject { class: 3, name: Obis([1, 0, c, 8, 0, 255]), attribute: 2, data_index: 0 }
}

fn memory(octets: usize) -> Memory {
    Memory::Static(Box::leak(vec![0; octets].into_boxed_slice()))
}

/// A minute of mains as one cycle, about 4.5 kW on three phases.
fn minute(meter: &mut Meter) {
    let phase = PhaseSums { ui: 150_000_000_000_000_000, ..PhaseSums::default() };
    meter.process_cycle(&CycleSums { samples: 480_000, crossing: 0, phases: [phase; 3] }, |_| ());
}

/// One row as a client decodes it: time, status, energies.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    time: DateTime,
    status: u8,
    energies: Vec<u32>,
}

impl Row {
    /// Hour and minute, status.
    fn brief(&self) -> (u8, u8, u8) {
        (self.time.time.hour, self.time.time.minute, self.status)
    }
}

/// Rows with every column.
fn rows(buffer: &[u8]) -> Vec<Row> {
    let mut reader = Reader::new(buffer);
    let mut rows = Vec::new();
    for _ in 0..reader.array_of().unwrap() {
        let Data::Structure(fields) = reader.data().unwrap() else { panic!("a row is a structure") };
        let mut reader = fields.reader();
        let (time, status) = (reader.date_time().unwrap(), reader.unsigned().unwrap());
        let mut energies = Vec::new();
        while !reader.is_empty() {
            energies.push(reader.double_long_unsigned().unwrap());
        }
        rows.push(Row { time, status, energies });
    }
    reader.finish().unwrap();
    rows
}

impl Line {
    /// With memory for so many rows of four energies, at this local time.
    fn with_rows(role: Role, rows: usize, time: [u8; 5]) -> Self {
        let mut line = Self::new(THREE_PHASE, Role::Management, credentials(Role::Management, false));
        line.meter = meter(THREE_PHASE).with_memory(memory(LOGS + 34 * rows));
        line.associate().unwrap();
        assert!(line.set_clock(time).is_success());
        line.server.disconnect();
        line.role = role;
        line.client = Client::new(Credentials { counter: 100, ..credentials(role, false) });
        line.associate().unwrap();
        line
    }

    /// Month, day, hour, minute, second of 2026.
    fn set_clock(&mut self, [month, day, hour, minute, second]: [u8; 5]) -> DataAccessResult {
        let octets = [0x07, 0xEA, month, day, 0xFF, hour, minute, second, 0, 0x80, 0, 0];
        self.set(8, "0-0:1.0.0", 2, &Data::OctetString(&octets))
    }

    fn minutes(&mut self, minutes: usize) {
        (0..minutes).for_each(|_| minute(&mut self.meter));
    }

    fn buffer(&mut self) -> Vec<Row> {
        rows(&self.get(7, PROFILE, 2).unwrap())
    }

    fn in_part(&mut self, name: &str, selector: u8, parameters: &[u8]) -> Result<Vec<u8>, DataAccessResult> {
        let attribute = AttributeDescriptor { class: 7, name: name.parse().unwrap(), attribute: 2 };
        let parameters = EncodedData::new(parameters).unwrap();
        let access = Some(SelectiveAccess { selector, parameters });
        self.read(AttributeReference { attribute, access }, |_| ())
    }

    fn entries(&mut self, name: &str, rows: (u32, u32), columns: (u16, u16)) -> Result<Vec<u8>, DataAccessResult> {
        let entries = EntryDescriptor {
            from_entry: rows.0,
            to_entry: rows.1,
            from_selected_value: columns.0,
            to_selected_value: columns.1,
        };
        self.in_part(name, EntryDescriptor::SELECTOR, &encoded(|writer| entries.encode(writer)))
    }

    fn range(
        &mut self,
        name: &str,
        by: CaptureObject,
        bounds: [[u8; 12]; 2],
        columns: &[CaptureObject],
    ) -> Result<Vec<u8>, DataAccessResult> {
        let bounds = bounds.map(|bound| encoded(|writer| writer.octet_string_data(&bound)));
        let wanted = encoded(|writer| columns.iter().for_each(|column| column.encode(writer)));
        let range = RangeDescriptor {
            restricting_object: by,
            from: EncodedData::new(&bounds[0]).unwrap(),
            to: EncodedData::new(&bounds[1]).unwrap(),
            selected_values: Sequence::from_octets(columns.len(), &wanted).unwrap(),
        };
        self.in_part(name, RangeDescriptor::SELECTOR, &encoded(|writer| range.encode(writer)))
    }

    fn capture(&mut self, columns: &[CaptureObject]) -> DataAccessResult {
        let list = encoded(|writer| {
            writer.array(columns.len());
            columns.iter().for_each(|column| column.encode(writer));
        });
        self.write(7, PROFILE, 3, EncodedData::new(&list).unwrap())
    }

    /// Codes of an event log.
    fn codes(&mut self, name: &str) -> Vec<u8> {
        rows(&self.get(7, name, 2).unwrap()).iter().map(|row| row.status).collect()
    }
}

fn encoded(encode: impl Fn(&mut Writer<'_>)) -> Vec<u8> {
    let mut octets = vec![0; Writer::measure(&encode)];
    encode(&mut Writer::new(&mut octets));
    octets
}

/// A time of 21 November 2026, local, without deviation.
fn at(hour: u8, minute: u8) -> [u8; 12] {
    [0x07, 0xEA, 11, 21, 0xFF, hour, minute, 0, 0xFF, 0x80, 0, 0xFF]
}

#[test]
fn rows_are_read_whole_by_time_by_entry_and_by_column() {
    let mut line = Line::with_rows(Role::Reader, 200, [11, 21, 8, 7, 0]);
    line.minutes(15 * 40);
    let all = line.buffer();
    assert_eq!((all.len(), all[0].brief(), all[39].brief()), (40, (8, 15, 0x20), (18, 0, 0)));
    let shown = Reader::new(&line.get(3, "1-0:1.8.0", 2).unwrap()).double_long_unsigned().unwrap();
    assert!(all[0].energies[0] < all[39].energies[0] && all[39].energies[0] < shown && all[39].energies[1] == 0);
    assert_eq!(line.get(7, PROFILE, 7).unwrap(), [6, 0, 0, 0, 40]);
    assert_eq!(line.get(7, PROFILE, 8).unwrap(), [6, 0, 0, 0, 200]);

    let of = |octets: Vec<u8>| rows(&octets);
    assert_eq!(of(line.range(PROFILE, CLOCK, [at(9, 0), at(10, 0)], &[]).unwrap()), all[3..8]);
    assert_eq!(of(line.range(PROFILE, CLOCK, [at(9, 1), at(10, 14)], &[]).unwrap()), all[4..8]);
    assert_eq!(line.range(PROFILE, CLOCK, [at(20, 0), at(21, 0)], &[]).unwrap(), [1, 0], "nothing is no error");
    assert_eq!(line.range(PROFILE, CLOCK, [at(10, 0), at(9, 0)], &[]).unwrap(), [1, 0]);
    assert_eq!(
        of(line.range(PROFILE, CLOCK, [[0; 12], [0xFE; 12]], &[]).unwrap()),
        all,
        "from before to after all time"
    );
    let first_second = [0x07, 0xD0, 1, 1, 0xFF, 0, 0, 0, 0, 0x80, 0, 0];
    assert_eq!(of(line.range(PROFILE, CLOCK, [first_second, at(8, 15)], &[]).unwrap()), all[..1]);
    // The deviation counts where it is given: 10:00 of UTC is 11:00 here.
    let mut utc = at(10, 0);
    (utc[9], utc[10]) = (0, 0);
    assert_eq!(of(line.range(PROFILE, CLOCK, [utc, utc], &[]).unwrap()), all[11..12]);

    let two = line.range(PROFILE, CLOCK, [at(9, 0), at(9, 15)], &[energy(3), CLOCK]).unwrap();
    let mut reader = Reader::new(&two);
    assert_eq!(reader.array_of(), Ok(2));
    for row in &all[3..5] {
        reader.structure_of(2).unwrap();
        assert_eq!(reader.double_long_unsigned(), Ok(row.energies[2]));
        assert_eq!(reader.date_time(), Ok(row.time));
    }

    assert_eq!(of(line.entries(PROFILE, (5, 7), (1, 0)).unwrap()), all[4..7]);
    assert_eq!(of(line.entries(PROFILE, (39, 0), (1, 6)).unwrap()), all[38..]);
    assert_eq!(line.entries(PROFILE, (41, 50), (1, 0)).unwrap(), [1, 0]);
    assert_eq!(line.entries(PROFILE, (1, 1), (2, 3)).unwrap()[..4], [1, 1, 2, 2]);

    let violated = Err(DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    assert_eq!(line.entries(PROFILE, (0, 3), (1, 0)), violated);
    assert_eq!(line.entries(PROFILE, (1, 3), (1, 7)), violated);
    assert_eq!(line.range(PROFILE, STATUS, [at(9, 0), at(9, 0)], &[]), violated);
    assert_eq!(line.range(PROFILE, CLOCK, [at(9, 0), at(9, 0)], &[energy(5)]), violated);
    assert_eq!(line.range(PROFILE, CLOCK, [at(25, 0), at(9, 0)], &[]), Err(DataAccessResult::TYPE_UNMATCHED));
    assert_eq!(line.in_part(PROFILE, 3, &[0]), violated);
    assert_eq!(line.in_part(PROFILE, 1, &[0]), Err(DataAccessResult::TYPE_UNMATCHED));
}

#[test]
fn a_clock_that_was_set_back_hides_no_row_from_a_range() {
    let mut line = Line::with_rows(Role::Management, 200, [11, 21, 8, 0, 0]);
    line.minutes(15 * 8);
    assert!(line.set_clock([11, 21, 8, 50, 0]).is_success());
    line.minutes(15 * 4);
    let found = rows(&line.range(PROFILE, CLOCK, [at(9, 0), at(9, 30)], &[]).unwrap());
    let brief: Vec<_> = found.iter().map(Row::brief).collect();
    assert_eq!(brief, [(9, 0, 0), (9, 15, 0), (9, 30, 0), (9, 0, 0x20), (9, 15, 0), (9, 30, 0)]);
}

#[test]
fn a_long_answer_is_of_one_moment_though_rows_are_captured_meanwhile() {
    // Full, and a quarter of an hour passes between two blocks: the newest are not told, the oldest were told before they went.
    let mut line = Line::with_rows(Role::Reader, 300, [1, 1, 0, 0, 0]);
    line.minutes(15 * 310);
    let expected = line.buffer();
    assert_eq!(expected.len(), 300);
    let attribute = AttributeDescriptor { class: 7, name: PROFILE.parse().unwrap(), attribute: 2 };
    let quarter = |meter: &mut Meter| (0..15).for_each(|_| minute(meter));
    assert_eq!(rows(&line.read(attribute.into(), quarter).unwrap()), expected);
    let expected = line.buffer();
    let everything = encoded(|writer| {
        writer.structure(4);
        CLOCK.encode(writer);
        writer.octet_string_data(&[0; 12]);
        writer.octet_string_data(&[0xFE; 12]);
        writer.array(0);
    });
    let access = Some(SelectiveAccess { selector: 1, parameters: EncodedData::new(&everything).unwrap() });
    assert_eq!(rows(&line.read(AttributeReference { attribute, access }, quarter).unwrap()), expected);
    // Ten hours between two blocks: what was promised has gone.
    let hours = |meter: &mut Meter| (0..600).for_each(|_| minute(meter));
    assert_eq!(line.read(attribute.into(), hours), Err(DataAccessResult::DATA_BLOCK_UNAVAILABLE));
}

#[test]
fn what_is_captured_is_chosen_by_management_within_what_the_law_allows() {
    let mut line = Line::with_rows(Role::Management, 200, [11, 21, 8, 0, 0]);
    line.minutes(30);
    let long = |seconds: u32| Data::DoubleLongUnsigned(seconds);
    assert_eq!(line.set(7, PROFILE, 4, &long(420)), DataAccessResult::SCOPE_OF_ACCESS_VIOLATED);
    assert_eq!(line.set(7, PROFILE, 4, &long(900)), DataAccessResult::SUCCESS);
    assert_eq!(line.buffer().len(), 2, "the same period clears nothing");
    assert_eq!(line.set(7, PROFILE, 4, &long(300)), DataAccessResult::SUCCESS);
    assert_eq!(line.buffer(), []);
    line.minutes(10);
    assert_eq!(line.buffer().iter().map(Row::brief).collect::<Vec<_>>(), [(8, 35, 0), (8, 40, 0)]);

    // The verified energies stand in every row (A+ and A- of an OMNIA), each column once, behind time and status.
    let violated = DataAccessResult::SCOPE_OF_ACCESS_VIOLATED;
    for wrong in [
        &[CLOCK, STATUS, energy(1), energy(3)][..],
        &[CLOCK, STATUS, energy(1), energy(2), energy(2)],
        &[CLOCK, energy(1), energy(2)],
        &[STATUS, CLOCK, energy(1), energy(2)],
        &[CLOCK, STATUS, energy(1), energy(2), energy(13)],
        &[
            CLOCK,
            STATUS,
            energy(1),
            energy(2),
            energy(3),
            energy(4),
            energy(5),
            energy(6),
            energy(7),
            energy(8),
            energy(9),
        ],
        &[],
    ] {
        assert_eq!(line.capture(wrong), violated, "{wrong:?}");
    }
    assert_eq!(line.buffer().len(), 2);
    let columns = [CLOCK, STATUS, energy(2), energy(1), energy(21)];
    assert_eq!(line.capture(&columns), DataAccessResult::SUCCESS);
    line.minutes(5);
    let row = line.buffer().remove(0);
    assert_eq!((row.brief(), row.energies.len()), ((8, 45, 0), 3));
    assert!(row.energies[0] == 0 && row.energies[1] > row.energies[2] && row.energies[2] > 0);
    let shown = line.get(7, PROFILE, 3).unwrap();
    assert_eq!(shown.len(), 2 + 5 * 18);
    // 200 rows of 34 octets are 226 of 30.
    assert_eq!(line.get(7, PROFILE, 8).unwrap(), [6, 0, 0, 0, 226]);
    assert_eq!(line.get(1, "0-0:96.10.1", 2).unwrap(), [17, 0]);

    assert_eq!(line.act(7, PROFILE, 1, &[15, 0]), ActionResult::SUCCESS);
    assert_eq!(line.buffer(), []);
    assert_eq!(line.codes("0-0:99.98.0"), [4, 5, 47, 254, 47, 254, 254]);
    assert_eq!(line.get(1, "0-0:96.11.0", 2).unwrap(), [17, 254]);
}

#[test]
fn the_demand_is_the_energy_of_a_quarter_and_its_maximum_stays_until_the_billing_period_ends() {
    let mut line = Line::with_rows(Role::Reader, 200, [11, 30, 23, 0, 0]);
    line.minutes(15);
    let before = line.meter.registers().active_import;
    line.minutes(15);
    let gained = line.meter.registers().active_import.microwatt_hours() - before.microwatt_hours();
    let power = u32::try_from(gained * 4 / 100_000).unwrap();
    assert!((10_000..100_000).contains(&power), "{power} tenths of a watt");
    let long = |value: u32| [&[6][..], &value.to_be_bytes()].concat();
    let end = |hour, minute| [&[9, 12, 0x07, 0xEA, 11, 30, 1, hour, minute, 0, 0, 0xFF, 0xC4, 0][..]].concat();
    let read = |line: &mut Line, class, name: &str, attribute| line.get(class, name, attribute).unwrap();
    let near = |octets: Vec<u8>| Reader::new(&octets).double_long_unsigned().unwrap().abs_diff(power) <= 1;
    assert!(near(read(&mut line, 5, "1-0:1.4.0", 3)) && near(read(&mut line, 3, "1-0:1.5.0", 2)));
    assert!(near(read(&mut line, 4, "1-0:1.6.0", 2)));
    assert_eq!(read(&mut line, 4, "1-0:1.6.0", 5), end(23, 30));
    assert_eq!(read(&mut line, 5, "1-0:1.4.0", 6), end(23, 30));
    assert_eq!(read(&mut line, 5, "1-0:1.4.0", 5), [17, 0]);
    assert_eq!(read(&mut line, 5, "1-0:1.4.0", 8), long(900));
    assert_eq!(read(&mut line, 5, "1-0:1.4.0", 2), long(0), "a period has just begun");
    assert_eq!(read(&mut line, 4, "1-0:2.6.0", 2), long(0));
    assert_eq!(read(&mut line, 5, "1-0:1.4.0", 4), [2, 2, 15, 0xFF, 22, 27]);
    for (class, name, methods) in [(4, "1-0:1.6.0", 1), (5, "1-0:1.4.0", 2), (9, "0-0:10.0.1", 1)] {
        for method in 1..=methods {
            assert_eq!(line.act(class, name, method, &[15, 0]), ActionResult::READ_WRITE_DENIED, "{name}");
        }
    }
    // Midnight of the first of a month, at half of the load in the last half hour.
    line.minutes(29);
    assert!(near(read(&mut line, 4, "1-0:1.6.0", 2)));
    line.minutes(1);
    assert_eq!(read(&mut line, 4, "1-0:1.6.0", 2), long(0));
    assert_eq!(read(&mut line, 4, "1-0:1.6.0", 5), [&[9, 12][..], &DateTime::NOT_SPECIFIED.to_octets()].concat());
    assert!(near(read(&mut line, 3, "1-0:1.2.0", 2)), "the maximum was added to those before");
    line.minutes(15);
    assert!(near(read(&mut line, 4, "1-0:1.6.0", 2)));
    let schedule = read(&mut line, 22, "0-0:15.0.0", 4);
    assert_eq!(schedule, [1, 1, 2, 2, 9, 4, 0, 0, 0, 0, 9, 5, 0xFF, 0xFF, 0xFF, 1, 0xFF]);
    assert_eq!(read(&mut line, 9, "0-0:10.0.1", 2)[..9], [1, 1, 2, 2, 18, 0, 1, 1, 6]);
}

#[test]
fn what_was_written_down_outlives_a_power_cut_and_the_next_row_says_so() {
    let mut line = Line::with_rows(Role::Reader, 200, [11, 21, 8, 0, 0]);
    line.minutes(15 * 5);
    let rows = line.buffer();
    let maximum = line.get(4, "1-0:1.6.0", 2).unwrap();
    assert_ne!(maximum[1..], [0; 4]);
    let (image, memory) = (line.meter.persist(), line.meter.take_memory());
    // Counters go on above all that were used before.
    let credentials = Credentials { counter: 1000, ..credentials(Role::Management, false) };
    let mut again = Line::new(THREE_PHASE, Role::Management, credentials);
    again.meter = meter(THREE_PHASE).with_memory(memory);
    again.meter.restore(&image, meterbench_meter::Outage::Unknown);
    again.associate().unwrap();
    assert_eq!(again.buffer(), rows);
    assert_eq!(again.get(4, "1-0:1.6.0", 2).unwrap(), maximum);
    let codes = again.codes("0-0:99.98.0");
    assert_eq!(codes[..4], [4, 5, 1, 2], "set, set, power down, power up");
    assert!(again.set_clock([11, 21, 10, 1, 0]).is_success());
    again.minutes(14);
    let newest = again.buffer().pop().unwrap();
    assert_eq!((newest.brief(), newest.energies[0] > rows[4].energies[0]), ((10, 15, 0xA0), true));
    assert_eq!(again.get(5, "1-0:1.4.0", 5).unwrap(), [17, 1], "the period was not whole");
}

#[test]
fn a_cycle_that_spans_a_whole_minute_is_booked_after_it() {
    let mut line = Line::with_rows(Role::Reader, 200, [11, 21, 8, 14, 30]);
    line.minutes(1);
    assert_eq!(line.buffer()[0].energies[0], 0, "its energy came with its last sample");
    line.minutes(15);
    assert_ne!(line.buffer()[1].energies[0], 0);
}

#[test]
fn a_meter_without_memory_has_no_rows_and_all_the_rest() {
    let mut line = Line::open(THREE_PHASE, Role::Reader);
    line.minutes(31);
    assert_eq!(line.get(7, PROFILE, 8).unwrap(), [6, 0, 0, 0, 0]);
    assert_eq!(line.buffer(), []);
    assert_ne!(line.get(4, "1-0:1.6.0", 2).unwrap()[1..], [0; 4]);
}

#[test]
fn events_are_read_by_time_and_by_entry() {
    let mut line = Line::with_rows(Role::Management, 10, [3, 29, 1, 50, 0]);
    line.minutes(20);
    assert!(line.set_clock([11, 21, 9, 0, 0]).is_success());
    assert_eq!(line.codes("0-0:99.98.0"), [4, 5, 3, 4, 5]);
    let log = rows(&line.get(7, "0-0:99.98.0", 2).unwrap());
    assert_eq!(log[2].brief(), (3, 0, 3), "daylight saving began");
    assert_eq!(rows(&line.entries("0-0:99.98.0", (3, 4), (1, 0)).unwrap()), log[2..4]);
    assert_eq!(rows(&line.range("0-0:99.98.0", CLOCK, [at(0, 0), at(23, 0)], &[]).unwrap()), log[4..]);
    let rule = line.set(8, "0-0:1.0.0", 8, &Data::Boolean(true));
    assert_eq!((rule, line.codes("0-0:99.98.0").pop()), (DataAccessResult::SUCCESS, Some(47)));
}

#[test]
fn a_software_configuration_chooses_period_energies_and_the_end_of_billing() {
    // Z4 60 min, Z6 the 15th, Z7 half-yearly from February, Z29 A+ and A-.
    let configuration = "41004-00115081-0000000100-000000001000-0000001000-30001021".parse().unwrap();
    let type_number = "686-11-11B-N14-3001-001";
    let mut line = Line::new(type_number, Role::Reader, credentials(Role::Reader, false));
    line.meter = meter(type_number)
        .with_memory(memory(Memory::length_for(Product::Omnipower)))
        .with_configuration(&configuration);
    line.associate().unwrap();
    assert_eq!(line.get(7, PROFILE, 4).unwrap(), [6, 0, 0, 0x0E, 0x10]);
    assert_eq!(line.get(7, PROFILE, 8).unwrap(), [6, 0, 0, 0x58, 0x4E], "22 606 rows of two energies");
    assert_eq!(line.get(7, PROFILE, 3).unwrap()[..2], [1, 4]);
    assert_eq!(line.get(5, "1-0:1.4.0", 8).unwrap(), [6, 0, 0, 0x0E, 0x10]);
    let times = line.get(22, "0-0:15.0.0", 4).unwrap();
    let of = |month| [2, 2, 9, 4, 0, 0, 0, 0, 9, 5, 0xFF, 0xFF, month, 15, 0xFF];
    assert_eq!(times, [&[1, 2][..], &of(2), &of(8)].concat());
    assert_eq!(line.get(22, "0-0:15.0.0", 3).unwrap(), [22, 3]);
}

#[test]
fn the_depth_of_the_data_sheet_is_there_and_is_read_through() {
    let mut line = Line::new(THREE_PHASE, Role::Reader, credentials(Role::Reader, true));
    line.meter = meter(THREE_PHASE).with_memory(memory(Memory::length_for(Product::Omnia)));
    line.associate().unwrap();
    assert_eq!(line.get(7, PROFILE, 8).unwrap(), [6, 0, 0, 0x43, 0xC3], "17 347 rows of four energies");
    line.minutes(15 * 17_400);
    let rows = line.buffer();
    assert_eq!(rows.len(), 17_347);
    let seconds = |row: &Row| row.time.hundredths_since_1970().unwrap() / 100;
    assert!(rows.windows(2).all(|two| seconds(&two[1]) - seconds(&two[0]) == 900));
    assert!(rows.windows(2).all(|two| two[1].energies[0] > two[0].energies[0]));
}

#[test]
fn a_connection_that_says_nothing_is_closed_when_the_set_up_says_so() {
    let mut line = Line::open(THREE_PHASE, Role::Installer);
    assert_eq!(line.get(41, "0-0:25.0.0", 2).unwrap(), [18, 0x0F, 0xDB]);
    assert_eq!(line.set(41, "0-0:25.0.0", 6, &Data::LongUnsigned(2)), DataAccessResult::SUCCESS);
    let mut port = NetworkPort::default();
    assert!(port.receive(&mut line.meter, &[], |_| ()));
    line.run(1);
    assert!(port.receive(&mut line.meter, &[], |_| ()));
    assert_eq!(port.due_in(&line.meter), Some(1000));
    // An octet keeps it for two seconds more.
    assert!(port.receive(&mut line.meter, &[0], |_| ()));
    line.run(1);
    assert!(port.receive(&mut line.meter, &[], |_| ()));
    line.run(1);
    assert!(!port.receive(&mut line.meter, &[], |_| ()));
}
