//! What kind of computer a library was made for.

use std::fmt;

/// An operating system and a processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Machine {
    /// Which system's format the file has.
    pub system: System,
    /// Which processor's instructions are in it.
    pub cpu: Cpu,
}

/// The systems that Agora makes libraries for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// ELF.
    Linux,
    /// Mach-O.
    MacOs,
    /// PE.
    Windows,
}

/// The processors that Agora makes libraries for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cpu {
    /// 64-bit Intel and AMD.
    X86_64,
    /// 64-bit ARM, Apple silicon included.
    Aarch64,
    /// 32-bit Intel and AMD.
    X86,
    /// 32-bit ARM.
    Arm,
    /// Anything else; we run on none of them.
    Other,
}

impl Machine {
    /// The one that this program runs on.
    pub const fn ours() -> Self {
        let system = if cfg!(windows) {
            System::Windows
        } else if cfg!(target_os = "macos") {
            System::MacOs
        } else {
            System::Linux
        };
        let cpu = if cfg!(target_arch = "x86_64") {
            Cpu::X86_64
        } else if cfg!(target_arch = "aarch64") {
            Cpu::Aarch64
        } else if cfg!(target_arch = "x86") {
            Cpu::X86
        } else if cfg!(target_arch = "arm") {
            Cpu::Arm
        } else {
            Cpu::Other
        };
        Self { system, cpu }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = match self.system {
            System::Linux => "Linux",
            System::MacOs => "macOS",
            System::Windows => "Windows",
        };
        let cpu = match self.cpu {
            Cpu::X86_64 => "x86_64",
            Cpu::Aarch64 => "aarch64",
            Cpu::X86 => "32-bit x86",
            Cpu::Arm => "32-bit ARM",
            Cpu::Other => "another processor",
        };
        write!(f, "{system} on {cpu}")
    }
}
