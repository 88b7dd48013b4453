//! `emulate`: the instruments of a bench and the ports of its meters, in real time, for clients of others.

use tokio::task::JoinSet;

use crate::arguments::EmulateArguments;
use crate::assemble::{self, Changes, heart_beat};
use crate::catalogue::Refusal;
use crate::diagnostics;
use crate::stop;
#[cfg(target_os = "linux")]
use meterbench_emulator::Head;
use meterbench_emulator::{Laboratory, PortKind, RoleAccess, roles};

pub fn emulate(arguments: &EmulateArguments) -> u8 {
    let equipped = match assemble::equip(&arguments.bench, &Changes::default()) {
        Ok(equipped) => equipped,
        Err(refusal) => return diagnostics::refuse(&refusal),
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return diagnostics::refuse(&Refusal::Words(format!("no runtime: {error}"))),
    };
    stop::listen();
    runtime.block_on(async {
        let laboratory = match Laboratory::start(&equipped.config) {
            Ok(laboratory) => laboratory,
            Err(error) => return diagnostics::refuse(&Refusal::Words(error.to_string())),
        };
        // A meter without power answers nobody: addresses are told when the voltage stands.
        if let Some((_, meter)) = equipped.config.meters.first() {
            laboratory.put_voltage_on(meter.un_volt.into(), meter.fn_hertz.into());
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        say!("{}, seed {}, in real time; stop with Ctrl-C", equipped.file.title, equipped.config.seed);
        let mut servers = JoinSet::new();
        for name in laboratory.instruments() {
            let told = name.clone();
            let started = move |address| say!("{told:<16} tcp://{address}");
            servers.spawn(laboratory.clone().serve_tcp(name, "127.0.0.1:0".into(), started));
        }
        let hexadecimal = |key: [u8; 16]| key.iter().map(|octet| format!("{octet:02X}")).collect::<String>();
        for &position in laboratory.meters_with_ports() {
            let serial =
                equipped.config.meters.iter().find(|(number, _)| *number == position).map(|(_, m)| m.serial.as_str());
            for RoleAccess { role, client, keys, password, .. } in roles(serial.unwrap_or_default()) {
                let keys = keys.map_or("no keys".to_owned(), |(encryption, authentication)| {
                    format!("EK {} AK {}", hexadecimal(encryption), hexadecimal(authentication))
                });
                let password = password.map_or(String::new(), |password| format!(" PW {}", hexadecimal(password)));
                say!("meter/{position}/{role:<10} client {client:<3} {keys}{password}");
            }
            for kind in PortKind::ALL {
                let name = kind.endpoint(position);
                let started = move |address| say!("{name:<16} tcp://{address}");
                servers.spawn(laboratory.clone().serve_port(position, kind, "127.0.0.1:0".into(), started));
            }
            #[cfg(target_os = "linux")]
            if arguments.serial.pty {
                let head = Head { baud_timing: arguments.serial.baud_timing, echo: arguments.serial.echo };
                let name = PortKind::Optical.endpoint(position);
                let started = move |path: &str| say!("{name:<16} serial://{path}");
                servers.spawn(laboratory.clone().serve_pty(position, head, started));
            }
        }
        let heart = laboratory.heart(heart_beat(equipped.positions.len()).min(std::time::Duration::from_secs(1)));
        tokio::select! {
            biased;
            () = stop::requested() => 130,
            () = laboratory.broken() => {
                let broken = laboratory.failure().map(|failure| failure.to_string());
                complain!("error: {}", broken.unwrap_or_default());
                3
            }
            () = heart => 3,
            ended = servers.join_next() => {
                if let Some(Ok(Err(error))) = ended {
                    complain!("error: {error}");
                }
                3
            }
        }
    })
}
