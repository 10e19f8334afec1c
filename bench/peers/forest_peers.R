#!/usr/bin/env Rscript
# Times ranger on the rows of `build/bench/forest --write FILE`; prints one line of JSON like that program.
#   forest_peers.R FILE ROWS TREES MAX_DEPTH MIN_SAMPLES_LEAF THREADS
# Debian's ranger has no minimum leaf size: instead, nodes with fewer than twice that size are not split.
suppressMessages(library(ranger))
a <- commandArgs(trailingOnly = TRUE)
rows <- as.integer(a[2])
count <- file.info(a[1])$size / 4
all <- matrix(readBin(a[1], "numeric", n = count, size = 4), ncol = 9)
colnames(all) <- c(paste0("c", 0:7), "target")
train <- as.data.frame(all[seq_len(rows), ])
fresh <- as.data.frame(all[-seq_len(rows), ])
rm(all)
fit_s <- system.time(model <- ranger(target ~ ., train, num.trees = as.integer(a[3]), max.depth = as.integer(a[4]),
                                     min.node.size = 2 * as.integer(a[5]), mtry = 8, num.threads = as.integer(a[6]), seed = 1,
                                     oob.error = FALSE))["elapsed"]
peak <- as.numeric(sub("VmHWM:\\s*([0-9]+) kB", "\\1", grep("VmHWM", readLines("/proc/self/status"), value = TRUE))) / 1024
predict_s <- system.time(p <- predict(model, fresh, num.threads = as.integer(a[6]))$predictions)["elapsed"]
error <- mean((fresh$target - p)^2)
cat(sprintf('{"program": "ranger %s", "rows": %d, "trees": %s, "max_depth": %s, "min_samples_leaf": %s, "threads": %s, "fit_s": %.3f, "predicted_rows": %d, "predict_s": %.3f, "held_out_r2": %.6f, "held_out_rmse": %.6f, "peak_memory_mb": %.0f}\n',
            packageVersion("ranger"), rows, a[3], a[4], a[5], a[6], fit_s, nrow(fresh), predict_s,
            1 - error / mean((fresh$target - mean(fresh$target))^2), sqrt(error), peak))
