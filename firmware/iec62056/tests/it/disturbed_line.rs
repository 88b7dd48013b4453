//! A client and a server over a line that loses, damages, repeats and cuts: the right message or a clean error.

use std::collections::VecDeque;

use meterbench_iec62056::hdlc::*;

use super::random::Random;

/// How bad the line is: each happens once in so many octets or frames, never when zero.
#[derive(Clone, Copy, Default, Debug)]
struct Disturbance {
    octet_dropped: usize,
    octet_damaged: usize,
    frame_dropped: usize,
    frame_repeated: usize,
    noise_before_frame: usize,
}

impl Disturbance {
    fn carry(self, frame: &[u8], random: &mut Random, line: &mut VecDeque<u8>) {
        if random.once_in(self.frame_dropped) {
            return;
        }
        if random.once_in(self.noise_before_frame) {
            let length = random.below(20);
            line.extend(random.octets(length));
        }
        for _ in 0..1 + usize::from(random.once_in(self.frame_repeated)) {
            for &octet in frame {
                if random.once_in(self.octet_dropped) {
                    continue;
                }
                let damage = if random.once_in(self.octet_damaged) { 1 << random.below(8) } else { 0 };
                line.push_back(octet ^ damage);
            }
        }
    }
}

const FRAME: usize = 300;
const MESSAGE: usize = 2000;

struct Bench {
    client: Client<FRAME, MESSAGE>,
    server: Server<FRAME, MESSAGE>,
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    now_ms: u64,
    random: Random,
    disturbance: Disturbance,
    /// Milliseconds the upper layer of the meter needs for an answer; the answer that waits.
    preparation_ms: u64,
    prepared: Option<(u64, Vec<u8>)>,
    asked: Vec<Vec<u8>>,
    /// Messages that follow the answer when the client asks for more.
    further: VecDeque<Vec<u8>>,
    frames: usize,
}

fn parameters(random: &mut Random) -> Parameters {
    let longest = if random.once_in(3) { 12 } else { 250 };
    let mut upto = |most: usize| 1 + random.below(most) as u16;
    Parameters {
        information_transmit: upto(longest).max(4),
        information_receive: upto(longest).max(4),
        window_transmit: upto(7) as u8,
        window_receive: upto(7) as u8,
    }
}

/// What the meter answers: something else than it was asked, of its own length.
fn answer_to(message: &[u8]) -> Vec<u8> {
    let seed = message.iter().fold(7, |sum: u64, &octet| sum.wrapping_mul(31).wrapping_add(octet.into()));
    let mut random = Random(seed);
    let length = random.below(MESSAGE + 1);
    random.octets(length)
}

/// What the meter says behind its answer, where the client wants to hear it: nothing, one message or two.
fn further(message: &[u8]) -> VecDeque<Vec<u8>> {
    (0..message.len() % 3).map(|place| answer_to(&[message, &[place as u8]].concat())).collect()
}

impl Bench {
    fn new(seed: u64, disturbance: Disturbance) -> Self {
        let mut random = Random(seed);
        let server = ServerSettings {
            address: Address::two(1, 17).unwrap(),
            client: None,
            parameters: parameters(&mut random),
            inter_octet_ms: 25,
            inactivity_ms: 120_000,
            calling: false,
        };
        let client = ClientSettings {
            address: Address::PUBLIC_CLIENT,
            server: server.address,
            proposal: Some(parameters(&mut random)).filter(|_| !random.once_in(5)),
            form: [ParametersForm::ByValue, ParametersForm::OneOctet, ParametersForm::TwoOctets][random.below(3)],
            inter_octet_ms: 25,
            response_ms: 500,
            poll_pause_ms: 100,
            answer_ms: 20_000,
            retries: 8,
        };
        Self {
            client: Client::new(client).unwrap(),
            server: Server::new(server).unwrap(),
            to_server: VecDeque::new(),
            to_client: VecDeque::new(),
            now_ms: 1000,
            preparation_ms: if random.once_in(2) { 0 } else { random.below(3000) as u64 },
            random,
            disturbance,
            prepared: None,
            asked: Vec::new(),
            further: VecDeque::new(),
            frames: 0,
        }
    }

    /// Takes a piece off the line, of any length.
    fn piece(line: &mut VecDeque<u8>, random: &mut Random) -> Vec<u8> {
        let length = 1 + random.below(40);
        line.drain(..length.min(line.len())).collect()
    }

    /// Lets the server see a piece, and the upper layer work.
    fn run_server(&mut self) {
        let piece = Self::piece(&mut self.to_server, &mut self.random);
        let mut rest = &piece[..];
        loop {
            rest = &rest[self.server.receive(rest, self.now_ms)..];
            while let Some(event) = self.server.poll_event() {
                match event {
                    ServerEvent::Message { octets, .. } => {
                        self.asked.push(octets.to_vec());
                        self.further = further(octets);
                        self.prepared = Some((self.now_ms + self.preparation_ms, answer_to(octets)));
                    }
                    ServerEvent::Connected { .. } | ServerEvent::Disconnected(_) => self.prepared = None,
                    ServerEvent::Unnumbered { .. } => panic!("nobody sent this"),
                    ServerEvent::Discarded(why) => panic!("{why}"),
                }
            }
            if let Some((at, answer)) = self.prepared.take() {
                if at > self.now_ms {
                    self.prepared = Some((at, answer));
                } else {
                    self.server.answer(&answer).unwrap();
                }
            } else if self.server.is_waited_for()
                && let Some(more) = self.further.pop_front()
            {
                self.server.answer(&more).unwrap();
            }
            while let Some(frame) = self.server.poll_transmit() {
                self.frames += 1;
                self.disturbance.carry(frame, &mut self.random, &mut self.to_client);
            }
            if rest.is_empty() {
                return;
            }
        }
    }

    /// Runs until the client has something to say.
    fn until_event(&mut self) -> Result<Vec<u8>, Option<Failure>> {
        for _ in 0..1_000_000 {
            let (frames, silent) = (self.frames, self.to_server.is_empty() && self.to_client.is_empty());
            while let Some(frame) = self.client.poll_transmit(self.now_ms) {
                self.frames += 1;
                self.disturbance.carry(frame, &mut self.random, &mut self.to_server);
            }
            self.run_server();
            let piece = Self::piece(&mut self.to_client, &mut self.random);
            let mut rest = &piece[..];
            loop {
                rest = &rest[self.client.receive(rest, self.now_ms)..];
                // What is left of the piece stays on the line.
                if let Some(event) = self.client.poll_event() {
                    let said = match event {
                        ClientEvent::Message(octets) => Ok(octets.to_vec()),
                        ClientEvent::Connected(_) | ClientEvent::Acknowledged => Ok(Vec::new()),
                        ClientEvent::Disconnected => Err(None),
                        ClientEvent::Failed(why) => Err(Some(why)),
                        ClientEvent::Unnumbered { .. } | ClientEvent::Discarded(_) => panic!("nobody sent this"),
                    };
                    rest.iter().rev().for_each(|&octet| self.to_client.push_front(octet));
                    return said;
                }
                if rest.is_empty() {
                    break;
                }
            }
            self.now_ms += 1;
            if silent && frames == self.frames {
                let prepared = self.prepared.as_ref().map(|(at, _)| *at);
                let next = [self.client.deadline(), self.server.deadline(), prepared].into_iter().flatten().min();
                self.now_ms = self.now_ms.max(next.unwrap_or(0));
            }
            self.client.tick(self.now_ms);
            self.server.tick(self.now_ms);
        }
        panic!("neither an answer nor an error after a million steps");
    }
}

/// Connects, exchanges some messages, disconnects. Returns how many messages came back, and the failure if there was one.
fn conversation(seed: u64, disturbance: Disturbance) -> (usize, Option<Failure>, Bench) {
    let mut bench = Bench::new(seed, disturbance);
    let mut answered = 0;
    bench.client.connect(bench.now_ms);
    let mut failure = bench.until_event().err().flatten();
    for _ in 0..4 {
        if failure.is_some() {
            break;
        }
        let length = bench.random.below(MESSAGE + 1);
        let message = bench.random.octets(length);
        bench.client.send(&message, Expect::Answer, bench.now_ms).unwrap();
        match bench.until_event() {
            Ok(answer) => {
                assert_eq!(bench.asked.last(), Some(&message), "seed {seed}");
                assert_eq!(answer, answer_to(&message), "seed {seed}");
                answered += 1;
                assert_eq!(bench.asked.len(), answered, "seed {seed}: no message arrives twice");
                for more in further(&message) {
                    bench.client.expect_more(bench.now_ms).unwrap();
                    match bench.until_event() {
                        Ok(answer) => assert_eq!(answer, more, "seed {seed}"),
                        Err(why) => failure = why,
                    }
                    if failure.is_some() {
                        break;
                    }
                }
            }
            Err(why) => failure = why,
        }
    }
    if failure.is_none() {
        bench.client.disconnect(bench.now_ms).unwrap();
        assert_eq!(bench.until_event(), Err(None));
    }
    (answered, failure, bench)
}

#[test]
fn on_a_quiet_line_every_message_arrives_with_the_fewest_frames() {
    for seed in 0..300 {
        let (answered, failure, bench) = conversation(seed, Disturbance::default());
        assert_eq!((answered, failure), (4, None), "seed {seed}");
        assert!(!bench.server.is_connected() && !bench.client.is_connected());
        assert_eq!(bench.client.discarded_frames() + bench.server.discarded_frames(), 0);
    }
}

#[test]
fn on_a_bad_line_the_right_message_arrives_or_a_clean_error() {
    let lines = [
        Disturbance { frame_dropped: 10, ..Disturbance::default() },
        Disturbance { octet_dropped: 1000, ..Disturbance::default() },
        Disturbance { octet_damaged: 1000, ..Disturbance::default() },
        Disturbance { frame_repeated: 10, ..Disturbance::default() },
        Disturbance { noise_before_frame: 5, ..Disturbance::default() },
        Disturbance {
            octet_dropped: 2000,
            octet_damaged: 2000,
            frame_dropped: 30,
            frame_repeated: 30,
            noise_before_frame: 10,
        },
    ];
    for (index, disturbance) in lines.into_iter().enumerate() {
        let (mut answered, mut failed, mut frames) = (0, Vec::new(), 0);
        for seed in 0..300 {
            let (messages, failure, bench) = conversation(seed + 1000 * index as u64, disturbance);
            answered += messages;
            failed.extend(failure);
            frames += bench.frames;
        }
        println!("{disturbance:?}: {answered} of 1200 messages, {frames} frames; of 300 links failed: {failed:?}");
        assert!(answered > 900, "{disturbance:?}: {answered} of 1200 messages");
    }
}

#[test]
fn on_a_dead_line_the_client_gives_up() {
    for dropped in [1, 2] {
        for seed in 0..50 {
            let (_, failure, bench) = conversation(seed, Disturbance { frame_dropped: dropped, ..Default::default() });
            let cause = failure.is_none_or(|why| matches!(why, Failure::NoResponse | Failure::NoAnswer));
            assert!(cause, "{failure:?}");
            assert!(dropped != 1 || (failure.is_some() && bench.frames == 9));
        }
    }
}
