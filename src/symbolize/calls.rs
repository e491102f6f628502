//! Whether an address of a stack stands behind a call: what tells a file from another build of it
//! where a capture names no build.

use object::Architecture;

/// Bytes before and behind an address that the answer may need.
pub(super) const REACH: usize = 12;

/// Where an address of a stack lies in the call that it is of. Unwinders differ; one capture holds
/// one kind.
pub(super) const KINDS: [u8; 3] = [LAST, LAST_BUT_ONE, FIRST];
/// On the call's last byte: one less than the address returned to.
const LAST: u8 = 1;
/// On the byte before it: taken back twice.
const LAST_BUT_ONE: u8 = 2;
/// On its first byte.
const FIRST: u8 = 4;

/// In which ways byte `at` of `code` lies in a call: a sum of [`KINDS`]. None where nothing is
/// known of the machine's calls.
pub(super) fn calls(machine: Architecture, code: &[u8], at: usize) -> Option<u8> {
    match machine {
        Architecture::X86_64 | Architecture::X86_64_X32 | Architecture::I386 => {
            let ends = |end: usize| code.get(..end).is_some_and(ends_with_call);
            let mut kinds = 0;
            for (kind, is) in [
                (LAST, ends(at + 1)),
                (LAST_BUT_ONE, ends(at + 2)),
                (FIRST, begins_with_call(code.get(at..)?)),
            ] {
                kinds |= if is { kind } else { 0 };
            }
            Some(kinds)
        }
        Architecture::Aarch64 => {
            // Instructions are words; `code` begins with a whole one.
            let start = at & !3;
            let word = code.get(start..start + 4)?;
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            let direct = word >> 26 == 0b10_0101;
            let by_register = word & 0xffff_fc1f == 0xd63f_0000;
            let authenticated = word & 0xfeff_f800 == 0xd63f_0800;
            let is = direct || by_register || authenticated;
            Some(if is { LAST | LAST_BUT_ONE | FIRST } else { 0 })
        }
        _ => None,
    }
}

fn ends_with_call(code: &[u8]) -> bool {
    let from = |n: usize| code.len().checked_sub(n).map(|i| &code[i..]);
    if from(5).is_some_and(|c| c[0] == 0xe8) {
        return true;
    }
    (2..=7).any(|n| from(n).is_some_and(|c| indirect(c) == Some(n)))
}

fn begins_with_call(code: &[u8]) -> bool {
    let plain = match code.first() {
        Some(0x40..=0x4f) => &code[1..],
        _ => code,
    };
    code.first() == Some(&0xe8) || indirect(plain).is_some()
}

/// The length of the call through a register or memory that `code` begins with.
fn indirect(code: &[u8]) -> Option<usize> {
    let (&opcode, &modrm) = (code.first()?, code.get(1)?);
    if opcode != 0xff || modrm >> 3 & 7 != 2 {
        return None;
    }
    let (mode, rm) = (modrm >> 6, modrm & 7);
    let scaled = usize::from(mode != 3 && rm == 4);
    let displacement = match mode {
        0 if rm == 5 => 4,
        0 if rm == 4 && code.get(2)? & 7 == 5 => 4,
        0 | 3 => 0,
        1 => 1,
        _ => 4,
    };
    Some(2 + scaled + displacement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_of_x86() {
        let instructions: [&[u8]; 8] = [
            &[0xe8, 1, 2, 3, 4],
            &[0xff, 0xd0],
            &[0xff, 0x10],
            &[0xff, 0x50, 8],
            &[0xff, 0x14, 0x25, 1, 2, 3, 4],
            &[0xff, 0x15, 1, 2, 3, 4],
            &[0xff, 0x94, 0x24, 1, 2, 3, 4],
            &[0xff, 0x54, 0x24, 8],
        ];
        for call in instructions {
            let mut code = vec![0x90; 7];
            code.extend(call);
            let last = code.len() - 1;
            code.extend([0x90; 8]);
            let at = |at| calls(Architecture::X86_64, &code, at).unwrap();
            assert_eq!(at(last) & LAST, LAST);
            assert_eq!(at(last - 1) & LAST_BUT_ONE, LAST_BUT_ONE);
            assert_eq!(at(7), FIRST | if last == 8 { LAST_BUT_ONE } else { 0 });
            assert_eq!((at(last + 2), at(3)), (0, 0));
        }
        let by_r12 = [0x41, 0xff, 0xd4, 0x90];
        assert_eq!(calls(Architecture::X86_64, &by_r12, 0), Some(FIRST));
        // A jump through a register is no call.
        let jump = [0x90, 0xff, 0xe0, 0x90];
        assert_eq!(calls(Architecture::X86_64, &jump, 2), Some(0));
        assert_eq!(calls(Architecture::X86_64, &[0xe8], 9), None);
    }

    #[test]
    fn calls_of_arm_and_of_other_machines() {
        let at = |word: u32, at| calls(Architecture::Aarch64, &word.to_le_bytes(), at);
        assert_eq!(at(0x9400_0010, 3), Some(7));
        assert_eq!(at(0xd63f_0100, 0), Some(7));
        assert_eq!(at(0xd73f_0931, 3), Some(7));
        assert_eq!(at(0xd503_201f, 3), Some(0));
        assert_eq!(calls(Architecture::Riscv64, &[0; 8], 3), None);
    }
}
