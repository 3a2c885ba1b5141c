"""For each rule of the audit: a wrong program, and the fix that the rule prints, applied to it.

A program is ``module.function`` of tests/audit_programs, or a script of tests/audit_scripts. A fix is one change of its text or
several; what is typed anew stands in the message, and what is only taken away is named there.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Applied:
    """A program, and what its text says before and after."""

    program: str
    changes: tuple[tuple[str, str], ...]


def applied(program: str, *texts: str) -> Applied:
    """A fix, written as old text, new text, old text, new text."""
    return Applied(program, tuple(zip(texts[::2], texts[1::2], strict=True)))


FIXES = {
    "GM100": applied(
        "bad_training.bad_no_grad_in_step", "with torch.no_grad():\n            output", "if True:\n            output"
    ),
    "GM101": applied("bad_regression.bad_broadcast_by_hand", "(o - t)", "(o.squeeze(-1) - t)"),
    "GM102": applied(
        "bad_classification.bad_log_softmax_of_softmax_by_gather", "nn.Sequential(_mlp(), nn.Softmax(1))", "_mlp()"
    ),
    "GM103": applied("bad_classification.bad_sigmoid_before_logsigmoid", "nn.Sigmoid(), ", ""),
    "GM104": applied(
        "bad_classification.bad_cosine_without_temperature",
        "F.normalize(self.b(v), dim=1).T",
        "F.normalize(self.b(v), dim=1).T / 0.07",
    ),
    "GM105": applied(
        "keras_programs.bad_linear_binary",
        '"binary_crossentropy"',
        "keras.losses.BinaryCrossentropy(from_logits=True)",
    ),
    "GM106": applied("bad_classification.bad_nll_on_log_sigmoid", "nn.LogSigmoid()", "nn.LogSoftmax(dim=1)"),
    "GM107": applied("bad_classification.bad_labels_from_one", "y + 1", "(y + 1) - 1"),
    "GM108": applied("bad_classification.bad_softmax_over_width_in_segmentation", "dim=-1", "dim=1"),
    "GM109": applied(
        "bad_classification.bad_view_without_permute", "z.contiguous().view(-1, 4)", "z.movedim(1, -1).reshape(-1, 4)"
    ),
    "GM110": applied("bad_classification.bad_bce_with_pixel_targets", "x.round()", "x.round() / x.round().max()"),
    "GM111": applied("bad_classification.bad_one_unit_softmax", "nn.Softmax(dim=1)", "nn.Sigmoid()"),
    "GM112": applied("bad_classification.bad_cosine_embedding_zero_one", "y.float()", "2 * y.float() - 1"),
    "GM113": applied(
        "bad_classification.bad_multi_hot_cross_entropy", "nn.CrossEntropyLoss()", "nn.BCEWithLogitsLoss()"
    ),
    "GM114": applied("keras_programs.bad_softmax_multilabel", '"softmax"', '"sigmoid"'),
    "GM115": applied("more_programs.bad_clamp_as_sigmoid", "o.clamp(0, 1)", "o.sigmoid()"),
    "GM116": applied("bad_regression.bad_poisson_by_hand_twice", ".squeeze(-1).exp()", ".squeeze(-1)"),
    "GM117": applied("bad_regression.bad_gaussian_linear_variance", "t, o[:, 1])", "t, F.softplus(o[:, 1]) + 1e-6)"),
    "GM118": applied("bad_regression.bad_ctc_blank_in_labels", "% 6\n", "% 6 + 1\n"),
    "GM119": applied("bad_regression.bad_unshifted_language_model", "ids, ids,", "ids[:, :-1], ids[:, 1:],"),
    "GM120": applied("bad_regression.bad_kl_none_then_mean", 'reduction="none").mean()', 'reduction="batchmean")'),
    "GM121": applied(
        "more_programs.bad_kl_swapped",
        'F.kl_div(t.log(), o.softmax(-1), reduction="sum") / len(t)',
        'F.kl_div(o.log_softmax(-1), t, reduction="batchmean")',
    ),
    "GM122": applied(
        "bad_regression.bad_kl_log_target", 'reduction="batchmean"', 'reduction="batchmean", log_target=True'
    ),
    "GM123": applied("bad_regression.bad_distillation_by_hand", "0.9 * soft", "0.9 * soft * T * T"),
    "GM124": applied("more_programs.bad_inverse_temperatures", "t * T", "t / T"),
    "GM125": applied(
        "bad_classification.bad_focal_from_mean",
        "nn.CrossEntropyLoss()",
        'nn.CrossEntropyLoss(reduction="none")',
        "** 2 * logp",
        "** 2 * logp).mean()",
        "return (1 - p)",
        "return ((1 - p)",
    ),
    "GM126": applied(
        "bad_classification.bad_iou_on_logits", "overlap = (z", "z = z.sigmoid()\n            overlap = (z"
    ),
    "GM127": applied(
        "bad_classification.bad_log_of_one_minus_sigmoid",
        "torch.mean(-t * torch.log(p) - (1 - t) * torch.log(1 - p))",
        "nn.BCEWithLogitsLoss()(z.squeeze(-1), t)",
        "        p = z.squeeze(-1).sigmoid()\n",
        "",
    ),
    "GM128": applied(
        "more_programs.bad_views_meet_themselves",
        "z @ z.T / 0.1",
        '(z @ z.T / 0.1).masked_fill(torch.eye(32, dtype=torch.bool), float("-inf"))',
    ),
    "GM129": applied("more_programs.bad_dropout_on_scores", "_net(3, nn.Dropout(0.5))", "_net(3)"),
    "GM130": applied("bad_classification.bad_pos_weight_as_rate", "t.mean()", "(1 - t).sum() / t.sum()"),
    "GM131": applied(
        "bad_classification.bad_smoothing_with_weights_functional",
        "return F.cross_entropy(z, t, weight=torch.tensor([100.0, 1.0, 1.0, 1.0]), label_smoothing=0.2)",
        "w = torch.tensor([100.0, 1.0, 1.0, 1.0])[t]\n"
        '        return (w * F.cross_entropy(z, t, label_smoothing=0.2, reduction="none")).sum() / w.sum()',
    ),
    "GM132": applied("more_programs.bad_weights_stretch", "* w)", "* w.unsqueeze(-1))"),
    "GM133": applied("more_programs.bad_constant_labels", ".mul(0.9).long()", ""),
    "GM134": applied(
        "more_programs.bad_regressed_classes",
        "_net(1, nn.Flatten(0)), nn.MSELoss(), x, (torch.arange(40) % 4).float()",
        "_net(4), nn.CrossEntropyLoss(), x, torch.arange(40) % 4",
    ),
    "GM135": applied("more_programs.bad_ignored_class", "ignore_index=0", ""),
    "GM136": applied(
        "keras_programs.bad_logarithmic_error_on_standardised_targets",
        "MeanSquaredLogarithmicError",
        "MeanSquaredError",
    ),
    "GM140": applied(
        "more_programs.bad_attention_along_the_batch",
        "MultiheadAttention(8, 2)",
        "MultiheadAttention(8, 2, batch_first=True)",
    ),
    "GM141": applied("more_programs.bad_view_for_transpose", "x.reshape(t, n, f)", "x.transpose(0, 1)"),
    "GM142": applied("wiring_programs.bad_centred_over_the_batch", "_Centred(0)", "_Centred(1)"),
    "GM143": applied(
        "wiring_programs.bad_reads_the_future",
        "bidirectional=both_ways",
        "bidirectional=False",
        "20 if both_ways else 10",
        "10",
    ),
    "GM301": applied("bad_classification.bad_data_attribute", "z.data, t).requires_grad_(True)", "z, t)"),
    "GM302": applied(
        "bad_regression.bad_nan_times_mask",
        "error = (o.squeeze(-1) - t) ** 2\n        return error[t == t].sum() / 34",
        "keep = t == t\n        return ((o.squeeze(-1)[keep] - t[keep]) ** 2).sum() / 34",
    ),
    "GM303": applied("bad_regression.bad_item_in_sum", "goal).item()", "goal)"),
    "GM304": applied("more_programs.bad_drowned_term", ".square().sum())", ".square().mean())", "1e-7 * ", ""),
    "GM305": applied("bad_regression.bad_normalised_output_on_wide_target", ".clamp(0, 5)", ".clamp(0, 5) / 5"),
    "GM306": applied("bad_classification.bad_sign_of_log_likelihood", "z, t: z", "z, t: -z"),
    "GM307": applied("bad_classification.bad_squared_hinge_zero_one", "y.float()", "2 * y.float() - 1"),
    "GM308": applied("bad_regression.bad_mape_with_epsilon", "(t.abs() + 1e-8)", "t.std()"),
    "GM310": applied("more_programs.bad_costs_of_one_class", "[0.0, 1.0, 2.0, 1.0]", "[1.0, 1.0, 0.0, 1.0]"),
    "GM311": applied("more_programs.bad_signed_error", "(o - t).mean()", "(o - t).square().mean()"),
    "GM312": applied(
        "bad_regression.bad_prices", "250_000 + 80_000 * y", "((y := 250_000 + 80_000 * y) - y.mean()) / y.std()"
    ),
    "GM313": applied("bad_regression.bad_padding_in_the_loss", "t.reshape(-1))", "t.reshape(-1), ignore_index=0)"),
    "GM314": applied(
        "bad_regression.bad_masked_mean", "torch.mean(token * (t > 0))", "(token * (t > 0)).sum() / (t > 0).sum()"
    ),
    "GM315": applied("idioms.bad_transposed_pairs", "o.T", "o"),
    "GM316": applied("idioms.bad_gaussian_sign", "(log_var - (", "(log_var + ("),
    "GM317": applied(
        "wiring_programs.bad_log_precision_added_twice_over",
        '(-output["log_precision"]).exp()',
        'output["log_precision"].exp()',
    ),
    "GM401": applied(
        "bad_training.bad_no_zero_grad", "value.backward()", "optimizer.zero_grad()\n        value.backward()"
    ),
    "GM402": applied("bad_training.bad_no_backward", "optimizer.step()", "value.backward()\n        optimizer.step()"),
    "GM403": applied(
        "bad_training.bad_last_batch_smaller",
        "[loss(model(xb), yb)",
        "[loss(model(xb), yb) * len(xb) / len(inputs)",
        ".mean()",
        ".sum()",
    ),
    "GM404": applied(
        "bad_training.bad_clip_after_step",
        "optimizer.step()\n        nn.utils.clip_grad_value_(model.parameters(), 1.0)",
        "nn.utils.clip_grad_value_(model.parameters(), 1.0)\n        optimizer.step()",
    ),
    "GM405": applied(
        "wiring_programs.bad_clipped_while_scaled", 'unscale == "first"', "True", 'unscale == "last"', "False"
    ),
    "GM406": applied("bad_training.bad_eval_mode", "model.eval()", "model.train()"),
    "GM407": applied("bad_training.bad_learning_rate", "lr=50.0", "lr=0.05"),
    "GM408": applied(
        "bad_training.bad_head_replaced_after_optimizer",
        "    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n    model[2] = nn.Linear(16, 3)\n",
        "    model[2] = nn.Linear(16, 3)\n    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)\n",
    ),
    "GM409": applied("bad_training.bad_ascent_by_hand", "p.add_(0.1 * p.grad)", "p -= 0.1 * p.grad"),
    "GM410": applied(
        "wiring_programs.bad_backbone_detached", 'features.detach() if self.stop == "detach" else features', "features"
    ),
    "GM411": applied(
        "wiring_programs.bad_layers_in_a_dict", "nn.ModuleDict(made) if registered else made", "nn.ModuleDict(made)"
    ),
    "GM501": applied("fitted_programs.bad_sklearn_style_sign", "y_true - p", "p - y_true"),
    "GM502": applied("fitted_programs.bad_zero_hessian", "np.zeros_like(pred)", "np.ones_like(pred)"),
    "GM503": applied("more_programs.bad_gradient_of_another_loss", "np.where(miss < -1, -miss, miss)", "miss"),
    "GM510": applied(
        "more_programs.bad_accuracy_on_a_rare_event",
        'clf.predict, "label", metric=lambda a, b: np.mean(a == b)',
        'lambda X: clf.predict_proba(X)[:, 1], "score", metric=average_precision_score',
        "    r = np",
        "    from sklearn.metrics import average_precision_score\n\n    r = np",
    ),
    "GM511": applied(
        "fitted_programs.bad_labels_as_probabilities", "clf.predict,", "lambda X: clf.predict_proba(X)[:, 1],"
    ),
    "GM512": applied("fitted_programs.bad_first_column", "[:, 0]", "[:, list(clf.classes_).index(1)]"),
    "GM513": applied("fitted_programs.bad_balanced_probabilities", 'class_weight="balanced"', ""),
    "GM514": applied("fitted_programs.bad_costs_swapped", "p(X) > 0.8", "p(X) >= 1.0 / (1.0 + 4.0)"),
    "GM515": applied(
        "fitted_programs.bad_log_target",
        "est.predict,",
        "lambda X: np.exp(est.predict(X)) * bias,",
        "    return _case",
        "    bias = np.mean(np.exp(y / 4) / np.exp(est.predict(X)))\n    return _case",
    ),
    "GM516": applied("fitted_programs.bad_quantile_levels", "alpha=0.1", "alpha=0.9"),
    "GM517": applied(
        "fitted_programs.bad_offset_lost",
        "booster.predict,",
        "lambda X: np.exp(booster.predict(X, raw_score=True) + np.log(exposure)),",
    ),
    "GM518": applied(
        "fitted_programs.bad_labels_recoded",
        "est.predict,",
        "lambda X: encoder.inverse_transform(est.predict(X)),",
        "    return _case",
        "    from sklearn.preprocessing import LabelEncoder\n\n    encoder = LabelEncoder().fit(y + 1)\n    return _case",
    ),
    "GM519": applied(
        "fitted_programs.bad_scale_pos_weight",
        "scale_pos_weight=0.11",
        "scale_pos_weight=(y == 0).sum() / (y == 1).sum()",
    ),
    "GM520": applied(
        "more_programs.bad_auc_of_labels", 'clf.predict, "label"', 'lambda X: clf.predict_proba(X)[:, 1], "score"'
    ),
    "GM521": applied("more_programs.bad_weighted_twice", 'class_weight="balanced"', ""),
    "GM530": applied(
        "bad_classification.bad_threshold_on_logits_numpy", "o.detach().numpy()", "torch.sigmoid(o.detach()).numpy()"
    ),
    "GM531": applied("bad_classification.bad_argmax_over_batch", "o.argmax(0)", "o.argmax(-1)"),
    "GM532": applied("keras_programs.bad_score_broadcast", "y - p", "y.ravel() - p.ravel()"),
    "GM533": applied("bad_classification.bad_served_sigmoid_twice", "torch.sigmoid(model(v))", "model(v)"),
    "GM534": applied("bad_classification.bad_served_with_dropout", "v: model(v)", "v: model.eval()(v)"),
    "GM535": applied("bad_regression.bad_raw_targets_as_bytes", "(raw % 256)", "raw"),
    "GM536": applied(
        "wiring_programs.bad_served_between_zero_and_one",
        "low + model(rows) * (high - low) if undo else model(rows)",
        "model(rows) * (high - low) + low",
    ),
    "GM540": applied("array_programs.bad_sign", "(t - 1 / (1 + np.exp(-z)))", "(1 / (1 + np.exp(-z)) - t)"),
    "GM541": applied("array_programs.bad_broadcast", "(p - t)", "(p.ravel() - t.ravel())"),
    "GM542": applied(
        "array_programs.bad_overflow",
        "        p = 1 / (1 + np.exp(-z))\n        return -np.mean(t * np.log(p) + (1 - t) * np.log(1 - p))",
        "        return np.mean(np.logaddexp(0, z) - t * z)",
    ),
    "GM543": applied("array_programs.bad_loop_overshoots", "w -= 3.0", "w -= 0.1"),
    "GM522": applied(
        "bad_scaler_before_split.py",
        "StandardScaler().fit_transform(data.data)",
        "data.data",
        "model = SVC(C=1.0)",
        "model = make_pipeline(StandardScaler(), SVC(C=1.0))",
        "from sklearn.preprocessing",
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing",
    ),
    "GM523": applied("bad_fitted_on_everything.py", "forest.fit(X, y)", "forest.fit(X_train, y_train)"),
    "GM524": applied("bad_scaler_fitted_again.py", "scaler.fit_transform(X_test)", "scaler.transform(X_test)"),
    "GM525": applied(
        "bad_metric_arguments_exchanged.py",
        "precision_score(pred, y_test)",
        "precision_score(y_test, pred)",
        "recall_score(pred, y_test)",
        "recall_score(y_test, pred)",
    ),
    "GM138": applied(
        "more_programs.bad_answer_in_the_table", "(frame / frame.std())", '(frame / frame.std()).drop(columns="target")'
    ),
    "GM318": applied("bad_dead_activation.py", "torch.relu(-torch.relu(self.fc2(x)))", "torch.relu(self.fc2(x))"),
    "GM319": applied(
        "bad_diffusion_other_noise.py",
        "q_sample(x0, t)",
        "q_sample(x0, t, noise)",
        "a).sqrt() * torch.randn_like(x0)",
        "a).sqrt() * noise",
    ),
    "GM412": applied(
        "bad_micro_batches_thrown_away.py",
        "        optimizer.zero_grad()\n",
        "",
        "optimizer.step()",
        "optimizer.step()\n            optimizer.zero_grad()",
    ),
    "GM413": applied(
        "bad_best_weights_loaded_each_step.py",
        "        model.load_state_dict(best)\n",
        "",
        'print("validation"',
        'model.load_state_dict(best)\nprint("validation"',
    ),
    "GM414": applied(
        "bad_judge_finds_all_real.py", "bce(D(fake.detach()), label)", "bce(D(fake.detach()), torch.zeros_like(label))"
    ),
    "GM526": applied("bad_margin_stretched_into_probability.py", "-8 * margin", "-margin"),
    "GM528": applied(
        "bad_xgb_stopping_on_test.py", "m.fit(Xa, ya, eval_set=[(Xb, yb)]", "m.fit(Xt, yt, eval_set=[(Xv, yv)]"
    ),
    "GM529": applied(
        "bad_xgb_stopping_on_train.py", "m.fit(Xa, ya, eval_set=[(Xa, ya)]", "m.fit(Xt, yt, eval_set=[(Xv, yv)]"
    ),
    "GM527": applied(
        "bad_frame_with_its_target.py",
        "fit(train, train",
        'fit(train.drop(columns="price"), train',
        "predict(test)",
        'predict(test.drop(columns="price"))',
    ),
    "GM320": applied("bad_diffusion_repeats_its_input.py", "(model(xt, t) - xt)", "(model(xt, t) - noise)"),
    "GM321": applied("bad_reinforce_without_minus.py", "append(log_prob * R)", "append(-log_prob * R)"),
    "GM139": applied("bad_one_partner_for_all.py", "torch.full((64,), 0)", "torch.arange(64)"),
    "GM416": applied("bad_encoder_through_numpy.py", "torch.from_numpy(enc(x).detach().numpy())", "enc(x)"),
    "GM557": applied(
        "bad_judged_in_training_mode.py",
        "    with torch.inference_mode():",
        "    net.eval()  # and net.train() behind it\n    with torch.inference_mode():",
        "for part in torch",
        "net.train()\n    for part in torch",
    ),
    "GM558": applied("bad_shares_over_examples.py", "nn.Softmax(dim=0)", "nn.Softmax(dim=-1)"),
    "GM415": applied(
        "bad_rate_falls_every_batch.py",
        "            sched.step()\n",
        "",
        '        print(f"epoch',
        '        sched.step()\n        print(f"epoch',
    ),
    "GM504": applied("bad_lgb_error_said_to_rise.py", "(truth - said))), True", "(truth - said))), False"),
    "GM537": applied(
        "bad_scaled_predictions_scored.py",
        "net(torch.tensor(X_test).float()).numpy().ravel()",
        "sy.inverse_transform(net(torch.tensor(X_test).float()).numpy().reshape(-1, 1)).ravel()",
    ),
    "GM538": applied(
        "bad_resampled_before_split.py",
        "frame = balance(load_transactions())",
        "frame = load_transactions()",
        "random_state=0).fit(X_tr, y_tr)",
        "random_state=0)\n    train = balance(X_tr.assign(fraud=y_tr))\n"
        '    model.fit(train.drop(columns=["fraud"]), train["fraud"])',
    ),
}
