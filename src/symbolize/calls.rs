//! Whether an address of a stack stands behind a call: what tells a file from another build of it
//! where a capture names no build.

use object::Architecture;

/// Bytes before and behind an address that the answer may need.
pub(super) const REACH: usize = 12;

/// Whether a call instruction ends with byte `at` of `code` or begins there: stacks hold either
/// the address before the one returned to, or that of the call. None where nothing is known of
/// the machine's calls.
pub(super) fn is_call(machine: Architecture, code: &[u8], at: usize) -> Option<bool> {
    match machine {
        Architecture::X86_64 | Architecture::X86_64_X32 | Architecture::I386 => {
            Some(ends_with_call(code.get(..=at)?) || begins_with_call(code.get(at..)?))
        }
        Architecture::Aarch64 => {
            // Instructions are words; `code` begins at a multiple of four.
            let start = at & !3;
            let word = code.get(start..start + 4)?;
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            let direct = word >> 26 == 0b10_0101;
            let by_register = word & 0xffff_fc1f == 0xd63f_0000;
            let authenticated = word & 0xfeff_f800 == 0xd63f_0800;
            Some(direct || by_register || authenticated)
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
        let calls: [&[u8]; 8] = [
            &[0xe8, 1, 2, 3, 4],
            &[0xff, 0xd0],
            &[0xff, 0x10],
            &[0xff, 0x50, 8],
            &[0xff, 0x14, 0x25, 1, 2, 3, 4],
            &[0xff, 0x15, 1, 2, 3, 4],
            &[0xff, 0x94, 0x24, 1, 2, 3, 4],
            &[0xff, 0x54, 0x24, 8],
        ];
        for call in calls {
            let mut code = vec![0x90; 7];
            code.extend(call);
            let last = code.len() - 1;
            code.extend([0x90; 8]);
            assert_eq!(is_call(Architecture::X86_64, &code, last), Some(true));
            assert_eq!(is_call(Architecture::X86_64, &code, 7), Some(true));
            assert_eq!(is_call(Architecture::X86_64, &code, last + 2), Some(false));
        }
        let by_r12 = [0x41, 0xff, 0xd4, 0x90];
        assert_eq!(is_call(Architecture::X86_64, &by_r12, 0), Some(true));
        // A jump through a register is no call.
        assert_eq!(
            is_call(Architecture::X86_64, &[0x90, 0xff, 0xe0], 2),
            Some(false)
        );
        assert_eq!(is_call(Architecture::X86_64, &[0xe8], 9), None);
    }

    #[test]
    fn calls_of_arm_and_of_other_machines() {
        let at = |word: u32, at| is_call(Architecture::Aarch64, &word.to_le_bytes(), at);
        assert_eq!(at(0x9400_0010, 3), Some(true));
        assert_eq!(at(0xd63f_0100, 0), Some(true));
        assert_eq!(at(0xd73f_0931, 3), Some(true));
        assert_eq!(at(0xd503_201f, 3), Some(false));
        assert_eq!(is_call(Architecture::Riscv64, &[0; 8], 3), None);
    }
}
