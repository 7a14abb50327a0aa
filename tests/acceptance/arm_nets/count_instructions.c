/*
 * Counts the instructions that a program executes under qemu-user, and prints the count whenever
 * the program asks for the range of scheduling priorities (system calls 125 and 126 of aarch64),
 * which programs do not do otherwise: so the program itself marks where a measurement begins (B)
 * and ends (E).
 *
 * QEMU's header for plugins is not packaged everywhere; what is used of it is declared here, by
 * QEMU's documentation of its plugin interface. API is the version of the interface: 1 before
 * QEMU 9, 2 from then on; these calls are the same in both.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info_t;
enum { QEMU_PLUGIN_CB_NO_REGS = 0 };

typedef void (*translated)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed)(unsigned int, void *);
typedef void (*called)(qemu_plugin_id_t, unsigned int, int64_t, uint64_t, uint64_t, uint64_t,
                       uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated);
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed, int, void *);
extern void qemu_plugin_register_vcpu_syscall_cb(qemu_plugin_id_t, called);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = API;

static uint64_t instructions;

/* Threads of the program are threads here. */
static void count(unsigned int cpu, void *number)
{
    (void)cpu;
    __atomic_fetch_add(&instructions, (uint64_t)(uintptr_t)number, __ATOMIC_RELAXED);
}

static void on_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(block, count, QEMU_PLUGIN_CB_NO_REGS,
                                         (void *)(uintptr_t)qemu_plugin_tb_n_insns(block));
}

static void on_call(qemu_plugin_id_t id, unsigned int cpu, int64_t number, uint64_t a, uint64_t b,
                    uint64_t c, uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == 125 || number == 126) {
        fprintf(stderr, "mark %c %" PRIu64 "\n", number == 125 ? 'B' : 'E',
                __atomic_load_n(&instructions, __ATOMIC_RELAXED));
    }
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int count_of_words,
                               char **words)
{
    (void)info, (void)count_of_words, (void)words;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_block);
    qemu_plugin_register_vcpu_syscall_cb(id, on_call);
    return 0;
}
