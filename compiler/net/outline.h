/* outline.h: a network as the tree that its layers' paths make: stages, blocks, arms.
 *
 * "layer1.0.main.conv1" is the layer conv1 of the arm main of the block layer1.0 of the stage
 * layer1.  A group is a run of consecutive nodes whose paths begin alike, so that groups, like
 * nodes, are in an order of execution.  Consecutive groups that differ only in their place (and in
 * channels) are counted, since a person needs to see only one of them. */
#ifndef RNC_OUTLINE_H
#define RNC_OUTLINE_H

#include "net/ir.h"

typedef struct Group Group;

/* A child of a group: a node, or a group (then `node` is NULL). */
typedef struct Item {
    const Node *node;
    Group *group;
} Item;

struct Group {
    const Group *parent; /* NULL: the network itself */
    const char *path;    /* "layer1.0"; "" for the network */
    const char *name;    /* the path without the parent's: "0" */
    const char *block;   /* the block that was called, or NULL: a stage, an arm */
    const Place *call;   /* the innermost call that all of its nodes come from, or NULL */
    int first, last;     /* its nodes, by id */
    VEC(Item) items;
    int alike; /* this many groups of the parent, from this one on, are alike; 0: it is counted with
                  one before it */
};

/* The tree, in `arena`; `src` has the names of blocks, and may be NULL. */
Group *outline_make(const Net *net, const SrcMap *src, Arena *arena);

/* Whether it is an arm: a group whose results go nowhere but into joins of the group around it. */
bool outline_is_arm(const Net *net, const Group *group);
/* The last of the groups that items[i] of `parent` is counted with; itself if alone. */
const Group *outline_last_alike(const Group *parent, int i);

#endif
